import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { sourceOptions } from '../../../support/node-program.ts';

const repositoryRoot = fileURLToPath(new URL('../../../..', import.meta.url));

/**
 * Bundles main.ts and migrate.ts into one file each, as for the container and for Lambda, with the migrations beside them.
 *
 * @param root - folder of the sources. @default the repository
 * @returns the folder they are in.
 */
export async function bundlePrograms(outdir: string, root = repositoryRoot): Promise<string> {
  await build({
    absWorkingDir: root,
    entryPoints: ['services/user-api/main.ts', 'services/user-api/migrate.ts'],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // Some packages inside are CommonJS, and require what Node.js has built in.
    banner: {
      js: "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);",
    },
    logLevel: 'silent',
  });
  await cp(join(root, 'services/user-api/database/migrations'), join(outdir, 'migrations'), {
    recursive: true,
  });
  return outdir;
}

export interface Program {
  readonly process: ChildProcess;
  /** All that it has written to standard output and error. */
  output(): string;
  errors(): string;
  /** Resolves with the port of the message 'ready'. */
  ready(): Promise<number>;
  /** Resolves with the exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>;
}

/** Runs a program as a child with a channel for messages, and nothing of the environment but what is given. */
export function runProgram(path: string, environment: Readonly<Record<string, string>>): Program {
  const child = spawn(process.execPath, [...sourceOptions, path], {
    cwd: repositoryRoot,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('The program was started without pipes');
  let output = '';
  let errors = '';
  stdout.on('data', (bytes) => {
    output += bytes;
  });
  stderr.on('data', (bytes) => {
    errors += bytes;
  });
  // Not the event 'close', which does not come after the channel has been disconnected from this side.
  const exited = Promise.all([once(child, 'exit'), finished(stdout), finished(stderr)]).then(
    ([[code]]) => code as number | null,
  );
  return {
    process: child,
    output: () => output,
    errors: () => errors,
    exited,
    async ready() {
      const gone = exited.then((code) => {
        throw new Error(`It ended with ${code} before it was ready: ${errors}${output}`);
      });
      const [message] = await Promise.race([once(child, 'message'), gone]);
      gone.catch(() => {});
      if (message.type !== 'ready')
        throw new Error(`Unexpected message ${JSON.stringify(message)}`);
      return message.port;
    },
  };
}
