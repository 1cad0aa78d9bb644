import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { temporaryDirectory } from './start-command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NODE = `node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`;
const OLD_NODE =
  "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})";

/** A checkout with `bin/run.mjs` and one program, and the packages named. */
async function checkout(path: string, packages: readonly string[], withInstallScripts = true) {
  await mkdir(join(path, 'bin'), { recursive: true });
  for (const file of ['run.mjs', 'module-hooks.mjs']) {
    await cp(join(root, 'bin', file), join(path, 'bin', file));
  }
  await cp(join(root, 'package.json'), join(path, 'package.json'));
  await writeFile(
    join(path, 'bin/program.ts'),
    "const words: string[] = process.argv.slice(2);\nconsole.log('ran ' + words + ' on ' + process.versions.node);\n",
  );
  for (const name of packages) await mkdir(join(path, 'node_modules', name), { recursive: true });
  if (!withInstallScripts) return;
  await mkdir(dirname(join(path, NODE)), { recursive: true });
  await symlink(process.execPath, join(path, NODE));
}

function run(path: string, words: readonly string[], flags: readonly string[] = []) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, join(path, 'bin/run.mjs'), ...words],
    { encoding: 'utf8' },
  );
  return { status, output: `${stdout}${stderr}` };
}

const dependencies = Object.keys(manifest.dependencies);
const all = [...dependencies, ...Object.keys(manifest.devDependencies)];

describe('every command', () => {
  it.each([
    ['nothing was installed', [], /not installed[\s\S]*npm ci/],
    [
      'development packages were left out',
      dependencies,
      /NODE_ENV=production[\s\S]*npm ci --include=dev/,
    ],
  ] as const)('says what to do when %s', async (_when, packages, message) => {
    await using directory = await temporaryDirectory();
    await checkout(directory.path, packages, packages.length > 0);

    const { status, output } = run(directory.path, ['program']);

    expect({ status, output }).toEqual({ status: 1, output: expect.stringMatching(message) });
    expect(output).not.toMatch(/^\s+at /m);
  });

  it('says what to do when the install scripts did not run', async () => {
    await using directory = await temporaryDirectory();
    await checkout(directory.path, all, false);

    const { status, output } = run(directory.path, ['program']);

    expect(status).toBe(1);
    expect(output).toMatch(/--ignore-scripts[\s\S]*npm ci --include=dev --ignore-scripts=false/);
  });

  it('runs with its arguments when all is there', async () => {
    await using directory = await temporaryDirectory();
    await checkout(directory.path, all);

    expect(run(directory.path, ['program', 'a', '--b'])).toEqual({
      status: 0,
      output: `ran a,--b on ${process.versions.node}\n`,
    });
  });

  it('runs on the Node.js of the project when that of the machine is too old', async () => {
    await using directory = await temporaryDirectory();
    await checkout(directory.path, all);

    const { output } = run(directory.path, ['program', 'a'], ['--import', OLD_NODE]);

    expect(output).toBe(`ran a on ${process.versions.node}\n`);
  });

  it('passes a signal on to the program that runs on the Node.js of the project', async () => {
    await using directory = await temporaryDirectory();
    await checkout(directory.path, all);
    await writeFile(
      join(directory.path, 'bin/program.ts'),
      "process.on('SIGTERM', () => process.exit(7));\nsetInterval(() => {}, 1000);\nconsole.log('ready');\n",
    );
    const child = spawn(
      process.execPath,
      ['--import', OLD_NODE, join(directory.path, 'bin/run.mjs'), 'program'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    child.stdout.once('data', () => child.kill('SIGTERM'));

    const [[code], output] = await Promise.all([once(child, 'exit'), text(child.stdout)]);

    expect({ code, output }).toEqual({ code: 7, output: 'ready\n' });
  });

  it('is run through the check of what it needs', () => {
    const scripts = Object.entries(manifest.scripts);
    const unchecked = scripts.filter(([, script]) =>
      /\bnode bin\/(?!run\.mjs|trim-packages\.mjs)/.test(script),
    );

    expect(unchecked).toEqual([]);
    expect(scripts.filter(([, script]) => script.includes('bin/run.mjs')).length).toBeGreaterThan(
      7,
    );
  });
});
