import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './support/synthesise.ts';

describe('a clone', () => {
  // An archive of the sources is no clone.
  it.skipIf(!existsSync(join(repositoryRoot, '.git')))(
    'has the line endings of the repository, whatever core.autocrlf says',
    () => {
      const list = execFileSync('git', ['ls-files', '--eol'], {
        cwd: repositoryRoot,
        encoding: 'utf8',
        maxBuffer: 16_777_216,
      });
      const texts = list.split('\n').filter((line) => line.startsWith('i/lf'));
      const withoutRule = texts.filter((line) => !/attr\/text=auto eol=lf/.test(line));

      expect(texts.length).toBeGreaterThan(500);
      expect(withoutRule).toEqual([]);
      expect(list).not.toMatch(/^i\/(crlf|mixed)/m);
    },
  );
});
