import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { readFeatureFlags } from '../../../lib/config/cdk-settings.ts';

const run = promisify(execFile);

export const repositoryRoot = resolve(import.meta.dirname, '../../..');

export interface SynthesiseOptions {
  /** Receives the templates. */
  readonly outputDirectory: string;
  /** What `-c` would say on the command line. @default nothing: all stages */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Where the sources are. @default this repository */
  readonly root?: string;
}

/** What a process ended with. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end, whatever that is. */
export async function runToEnd(
  program: string,
  programArguments: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(program, [...programArguments], options);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const { code, stdout, stderr } = z
      .object({ code: z.union([z.number(), z.string()]), stdout: z.string(), stderr: z.string() })
      .parse(error);
    return { code: typeof code === 'number' ? code : -1, output: stdout + stderr };
  }
}

/**
 * Runs the CDK app as the CDK's command line does, flags of `cdk.json` included, but without its validation, which takes
 * seconds: one test runs the command line itself.
 */
export async function runApp(options: SynthesiseOptions): Promise<Ended> {
  const root = options.root ?? repositoryRoot;
  return await runToEnd(process.execPath, ['bin/app.ts'], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      CDK_OUTDIR: options.outputDirectory,
      CDK_CONTEXT_JSON: JSON.stringify({ ...readFeatureFlags(root), ...options.context }),
      CDK_VALIDATION: 'false',
      // Sources elsewhere are a test's own copy, which nobody compiles again.
      ...(options.root === undefined && { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
    },
  });
}

/** As {@link runApp}, but fails unless it succeeds. */
export async function synthesise(options: SynthesiseOptions): Promise<void> {
  const { code, output } = await runApp(options);
  if (code !== 0) throw new Error(`The CDK app ended with ${code}:\n${output}`);
}

/** The stages of `variants.ts`, in another process, as {@link synthesise} does those that there are. */
export async function synthesiseVariants(outputDirectory: string): Promise<void> {
  const program = join(import.meta.dirname, 'synthesise-variants.ts');
  const { code, output } = await runToEnd(process.execPath, [program, outputDirectory], {
    cwd: repositoryRoot,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      CDK_VALIDATION: 'false',
    },
  });
  if (code !== 0) throw new Error(`The variants ended with ${code}:\n${output}`);
}
