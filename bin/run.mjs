import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';

/*
 * `node bin/run.mjs <program> [argument …]` checks what the programs of this folder need, then runs one of them; without a program it only checks.
 * Plain JavaScript without dependencies, because it must explain itself where Node.js is too old for TypeScript and packages are missing.
 */

const root = new URL('../', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));
const REINSTALL = 'npm ci --include=dev --ignore-scripts=false';
/** The first version that runs TypeScript and has all that the sources use. */
const MINIMUM_NODE_MAJOR = 24;

function fail(problem, remedy) {
  console.error(`\nError: ${problem}\n  ${remedy}`);
  process.exit(1);
}

const { dependencies, devDependencies } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
const names = [...Object.keys(dependencies), ...Object.keys(devDependencies)];
const missing = names.filter((name) => !existsSync(at(`node_modules/${name}`)));
if (missing.length === names.length) {
  fail('The packages of this project are not installed.', 'Install them: npm ci');
}
if (missing.length > 0) {
  const shown = `${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}`;
  fail(
    `${missing.length} packages of package.json are not installed (${shown}). NODE_ENV=production and --omit=dev leave out development packages, which every command here needs; a change of package.json needs a new install.`,
    `Install all of them: ${REINSTALL}`,
  );
}

const ownNode = at(`node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`);
if (!existsSync(ownNode)) {
  fail(
    'The install scripts of the packages did not run (--ignore-scripts, or ignore-scripts in an .npmrc), so Node.js 24 and PostgreSQL are incomplete.',
    `Let them run: ${REINSTALL}`,
  );
}

// Compiled code is kept for the next time, that of the programs which this one starts, too: a fifth less work at a start.
process.env.NODE_COMPILE_CACHE ??= at('node_modules/.cache/compiled');
module.enableCompileCache?.(process.env.NODE_COMPILE_CACHE);

const program = process.argv[2];
if (program !== undefined) {
  const entry = at(`bin/${program}.ts`);
  if (!existsSync(entry)) {
    const { Command } = await import('commander');
    const command = new Command('node bin/run.mjs').description('Runs a program of bin.');
    for (const name of readdirSync(at('bin')).filter((file) => file.endsWith('.ts'))) {
      command.command(name.replace('.ts', ''));
    }
    command.showHelpAfterError().parse();
  } else if (Number.parseInt(process.versions.node, 10) < MINIMUM_NODE_MAJOR) {
    // Outside npm the Node.js of the machine runs this file; the one of the project goes on.
    const child = spawn(ownNode, process.argv.slice(1), { stdio: 'inherit' });
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
    });
  } else {
    await import('./module-hooks.mjs');
    process.argv.splice(1, 2, entry);
    await import(pathToFileURL(entry).href);
  }
}
