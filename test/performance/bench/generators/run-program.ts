import { execFile } from 'node:child_process';
import { systemEnvironment } from '../../../../services/local/process/program-environment.ts';
import { LoadError } from './generator.ts';

export interface ProgramRun {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Its whole environment. @default what the operating system needs */
  readonly environment?: Readonly<Record<string, string>>;
  /** Longest that it may take, in seconds. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

const OUTPUT_MAXIMUM_BYTES = 16 * 1024 * 1024;

/**
 * Runs a program and returns what it wrote to standard output.
 *
 * @throws {LoadError} with what it said when it fails or takes too long.
 */
export function runProgram(run: ProgramRun): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      run.command,
      [...run.arguments],
      {
        timeout: run.timeoutSeconds * 1_000,
        signal: run.signal,
        env: run.environment ?? systemEnvironment(),
        maxBuffer: OUTPUT_MAXIMUM_BYTES,
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else if (run.signal.aborted) reject(run.signal.reason);
        else {
          const said = `${stderr}\n${stdout}`.trim();
          reject(new LoadError(`${run.command} failed: ${said || error.message}`));
        }
      },
    );
  });
}
