import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { environmentPage } from '../../../services/contracts/environment/document.ts';
import { findMisspelt } from '../../../services/contracts/environment/misspelt.ts';
import {
  EnvironmentError,
  readEnvironment,
  type VariableName,
} from '../../../services/contracts/environment/read.ts';
import { environmentVariables } from '../../../services/contracts/environment/variables.ts';

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

  it('treats an empty variable as unset', () => {
    expect(readEnvironment(['PORT'], { PORT: '' })).toEqual({ PORT: 3000 });
  });

  it('names every invalid variable with what it got and what it takes', () => {
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

  it.each([
    [{ RATE_LIMITS: 'reads=5/60, reads=many' }, 'RATE_LIMITS got "reads=many" (entry 2 of 2);'],
    [
      { CORS_ALLOWED_ORIGINS: 'https://a.example/path,https://b.example,c' },
      'got "https://a.example/path" (entry 1 of 3) and "c" (entry 3 of 3);',
    ],
    [{ TRUSTED_PROXY_NETWORKS: '10.0.0.0/16,10.0.0.0/99' }, 'got "10.0.0.0/99" (entry 2 of 2);'],
    [
      { DATABASE_READER_URLS: 'postgres://a:hunter2@one/x,mysql://b:hunter2@two/x' },
      'got "mysql://b:***@two/x" (entry 2 of 2);',
    ],
    [
      { OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=hunter2,hunter2' },
      'got a value that is kept secret, which is wrong in entry 2 of 2;',
    ],
  ])('names the wrong entries of a list alone: %j', (source, message) => {
    const names = Object.keys(source) as VariableName[];
    const error = problemsOf(() => readEnvironment(names, source));
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('hunter2');
  });

  it('shows no password of a refused URL', () => {
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

describe('findMisspelt', () => {
  it.each([
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_READER_URL', 'DATABASE_READER_URLS'],
    ['LOG_LEVLE', 'LOG_LEVEL'],
    ['RATELIMITS', 'RATE_LIMITS'],
    ['RATE_LIMIT', 'RATE_LIMITS'],
    ['redis_url', 'REDIS_URL'],
    ['STAGES', 'STAGE'],
    ['MAILBOXPORT', 'MAILBOX_PORT'],
  ])('takes %s for %s', (name, meant) => {
    expect(findMisspelt({ [name]: 'x' })).toEqual([{ name, meant }]);
  });

  it('reports no documented variable, no empty one, and none of shells, npm, Lambda and ECS', () => {
    const foreign =
      'PATH HOME PWD OLDPWD SHELL SHLVL TERM USER LOGNAME LANG LC_ALL EDITOR PAGER POST SORT HOSTNAME HOSTTYPE PGHOST PGPORT PGURL TMPDIR TZ CI DEBUG ' +
      'NODE_ENV NODE_OPTIONS NO_PROXY HTTP_PROXY https_proxy npm_config_cache npm_lifecycle_event INIT_CWD NVM_DIR SSH_AUTH_SOCK DISPLAY XDG_RUNTIME_DIR COLORTERM ' +
      'AWS_PROFILE AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_LAMBDA_FUNCTION_NAME AWS_EXECUTION_ENV _HANDLER LAMBDA_TASK_ROOT ' +
      'LAMBDA_RUNTIME_DIR ECS_CONTAINER_METADATA_URI_V4 AWS_CONTAINER_CREDENTIALS_RELATIVE_URI METRICS_URL REDIS_HOST REDIS_PORT DATABASE_HOST POSTGRES_URL';
    const names = [...foreign.split(' '), ...Object.keys(environmentVariables)];
    expect(findMisspelt(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([]);
    expect(findMisspelt({ DATABSE_URL: '' })).toEqual([]);
  });
});

describe('docs/environment.md', () => {
  it('is what `npm run docs` makes from the schema', async () => {
    const page = await readFile(new URL('../../../docs/environment.md', import.meta.url), 'utf8');

    expect(page, 'run `npm run docs` and commit the result').toBe(environmentPage());
  });
});
