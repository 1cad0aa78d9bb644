import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cleanEnvironment } from './start-command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs an entry point to its end, without a terminal. */
function run(entry: string, words: readonly string[], directory: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [join(root, 'bin', entry), ...words],
      { cwd: root, env: cleanEnvironment({ LOCAL_DIRECTORY: directory }) },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === 'number') resolve({ code, output: stdout + stderr });
        else reject(error);
      },
    );
    child.stdin?.end();
  });
}

/** A local directory with data in it, which is removed in the end. */
async function localData() {
  const path = await mkdtemp(join(tmpdir(), 'headroom-test-'));
  await mkdir(join(path, 'postgres'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** When each generated page was written. */
async function writtenAt(): Promise<Record<string, number>> {
  const names = ['environment.md', 'metrics.md', 'stages.md', 'architecture.svg'];
  const times = names.map(async (name) => (await stat(join(root, 'docs', name))).mtimeMs);
  return Object.fromEntries((await Promise.all(times)).map((time, index) => [names[index], time]));
}

// The CDK runs app.ts, with options of its own.
const entries = (await readdir(join(root, 'bin'))).filter(
  (name) => name.endsWith('.ts') && name !== 'app.ts',
);

// Side by side: most of the time is the start of Node.js and its imports.
describe.concurrent('an entry point', () => {
  it.each(entries)('%s explains itself and changes nothing, given --help', async (entry) => {
    await using data = await localData();
    const before = await writtenAt();

    const { code, output } = await run(entry, ['--help'], data.path);

    expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/usage|npm run/i) });
    expect(await readdir(data.path)).toEqual(['postgres']);
    expect(await writtenAt()).toEqual(before);
  });

  it.each(entries)('%s refuses an unknown option and changes nothing', async (entry) => {
    await using data = await localData();
    const before = await writtenAt();

    const { code, output } = await run(entry, ['--hepl'], data.path);

    expect(code).toBeGreaterThan(0);
    expect(output).toContain('--hepl');
    expect(output).toMatch(/did you mean "?--help/i);
    expect(await readdir(data.path)).toEqual(['postgres']);
    expect(await writtenAt()).toEqual(before);
  });
});

describe('npm run reset', () => {
  it('deletes nothing without a terminal to ask on, and names --yes', async () => {
    await using data = await localData();

    const { code, output } = await run('reset.ts', [], data.path);

    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('--yes') });
    expect(await readdir(data.path)).toEqual(['postgres']);
  });

  it('deletes the data, given --yes', async () => {
    await using data = await localData();

    const { code } = await run('reset.ts', ['--yes'], data.path);

    expect(code).toBe(0);
    expect(await readdir(data.path)).not.toContain('postgres');
  });
});
