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

/** Runs a program to its end, without a terminal. */
function run(program: readonly string[], directory: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      program,
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

const programs: readonly (readonly [string, readonly string[]])[] = [
  ...(await readdir(join(root, 'bin')))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [name, ['bin/run.mjs', name.replace('.ts', '')]] as const),
  ['migrate.ts', ['services/user-api/migrate.ts']],
  ['run.mjs', ['bin/run.mjs']],
];

/** Expects an end with that code, and nothing written or deleted. */
async function expectNoChange(program: readonly string[], code: number, message: RegExp) {
  await using data = await localData();
  const before = await writtenAt();

  const outcome = await run(program, data.path);

  expect(outcome).toEqual({ code, output: expect.stringMatching(message) });
  expect(await readdir(data.path)).toEqual(['postgres']);
  expect(await writtenAt()).toEqual(before);
}

// Side by side: most of the time is the start of Node.js.
describe.concurrent.each(programs)('%s', (name, program) => {
  const refused = name === 'administer.ts' ? 2 : 1;

  it('explains itself and changes nothing, given --help', async () => {
    await expectNoChange([...program, '--help'], 0, /^Usage: /);
  });

  it('refuses an unknown option with the nearest one and changes nothing', async () => {
    await expectNoChange([...program, '--hepl'], refused, /--hepl[\s\S]*Did you mean --help\?/);
  });

  it('refuses a word too many and changes nothing', async () => {
    await expectNoChange([...program, 'unexpected'], refused, /too many|unexpected/);
  });
});

describe('npm run reset', () => {
  it('deletes nothing without a terminal to ask on, and names --yes', async () => {
    await using data = await localData();

    const { code, output } = await run(['bin/run.mjs', 'reset'], data.path);

    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('--yes') });
    expect(await readdir(data.path)).toEqual(['postgres']);
  });

  it('deletes the data, given --yes', async () => {
    await using data = await localData();

    const { code } = await run(['bin/run.mjs', 'reset', '--yes'], data.path);

    expect(code).toBe(0);
    expect(await readdir(data.path)).not.toContain('postgres');
  });
});
