import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { environmentPage } from '../../../services/contracts/environment/document.ts';
import { EnvironmentError, readEnvironment } from '../../../services/contracts/environment/read.ts';

function problemsOf(read: () => unknown): EnvironmentError {
  try {
    read();
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  throw new Error('the environment was accepted');
}

describe('readEnvironment', () => {
  it('returns parsed values and defaults when nothing is wrong', () => {
    const values = readEnvironment(['PORT', 'DATABASE_READER_URLS', 'REDIS_URL'], {
      DATABASE_READER_URLS: 'postgres://a@one/x, postgres://a@two/x',
    });

    expect(values).toEqual({
      PORT: 3000,
      DATABASE_READER_URLS: ['postgres://a@one/x', 'postgres://a@two/x'],
    });
  });

  it('takes an empty variable as unset', () => {
    expect(readEnvironment(['PORT'], { PORT: '' })).toEqual({ PORT: 3000 });
  });

  it('names every variable at fault with what it got and what it takes', () => {
    const error = problemsOf(() =>
      readEnvironment(['PORT', 'DATABASE_URL', 'LOG_LEVEL'], { PORT: '70000', LOG_LEVEL: 'loud' }),
    );

    expect(error.variables).toEqual(['PORT', 'DATABASE_URL', 'LOG_LEVEL']);
    expect(error.message.split('\n')).toEqual([
      'PORT got "70000"; it takes a whole number from 0 to 65535',
      'DATABASE_URL is not set; it takes a URL such as postgres://user:password@host:5432/database',
      'LOG_LEVEL got "loud"; it takes one of trace, debug, info, warn, error, fatal, silent',
    ]);
  });

  it.each(['1e3', '0x10', ' 3000', '-1', '3000.5', '99999999999999999999'])(
    'refuses %j as a port',
    (PORT) => {
      expect(problemsOf(() => readEnvironment(['PORT'], { PORT })).variables).toEqual(['PORT']);
    },
  );

  it('shows no password of a URL that it refuses', () => {
    const error = problemsOf(() =>
      readEnvironment(['DATABASE_READER_URLS', 'DATABASE_URL'], {
        DATABASE_URL: 'mysql://root:hunter2@hunter2/hunter2@db/x',
        DATABASE_READER_URLS: 'postgres://a:hunter3@one/x,mysql://b:hunter4@two/x',
      }),
    );

    expect(error.message).not.toMatch(/hunter/);
    expect(error.message).toContain('mysql://root:***@db/x');
  });
});

describe('docs/environment.md', () => {
  it('is what `npm run docs` makes from the schema', async () => {
    const page = await readFile(new URL('../../../docs/environment.md', import.meta.url), 'utf8');

    expect(page, 'run `npm run docs` and commit the result').toBe(environmentPage());
  });
});
