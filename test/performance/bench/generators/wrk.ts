import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Cores, pinned } from '../cores.ts';
import { type RequestSequence, writeRequests } from '../requests.ts';
import { type ClosedLoopGenerator, LoadError, type LoadResult } from './generator.ts';
import { runProgram } from './run-program.ts';

const SCRIPT = fileURLToPath(new URL('./wrk-script.lua', import.meta.url));
/** Beyond the time asked for: reading the file of requests, and waiting for the last answers. */
const EXTRA_SECONDS = 30;

const report = z.object({
  requests: z.number(),
  microseconds: z.number(),
  connect: z.number(),
  read: z.number(),
  write: z.number(),
  status: z.number(),
  timeout: z.number(),
  p50: z.number(),
  p99: z.number(),
  p999: z.number(),
});

/**
 * Reads the line of JSON that `wrk-script.lua` adds to what wrk prints.
 *
 * @throws {LoadError} when there is none.
 */
export function parseWrk(output: string): LoadResult {
  const line = output.split('\n').find((candidate) => candidate.startsWith('{'));
  if (line === undefined) throw new LoadError(`wrk printed no result:\n${output}`);
  const { requests, microseconds, p50, p99, p999, ...errors } = report.parse(JSON.parse(line));
  return {
    requests,
    seconds: microseconds / 1_000_000,
    failures: errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency: { p50, p99, p999 },
  };
}

/** wrk's version, or null when it is not on the PATH. */
export function wrkVersion(): string | null {
  try {
    execFileSync('wrk', ['-v'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return null;
  } catch (error) {
    // It prints its version and then exits with 1.
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    return /^wrk (\S+)/.exec(output)?.[1] ?? null;
  }
}

/**
 * [wrk](https://github.com/wg/wrk): one thread of C and LuaJIT sends several times what one core of Node.js can answer, so that
 * it is not what is measured.
 */
export function createWrk(cores: Cores, version: string): ClosedLoopGenerator {
  let written: { readonly sequence: RequestSequence; readonly done: Promise<void> } | undefined;
  return {
    name: `wrk ${version}`,
    async run({ sequence, directory, connections, seconds, offset = 0, signal, ...request }) {
      const file = join(directory, 'wrk-requests.tsv');
      // A warm-up and the run after it send the same, and so do two generators side by side.
      if (written?.sequence !== sequence) {
        written = { sequence, done: writeRequests(file, sequence) };
      }
      await written.done;
      const options = [
        '-t1',
        `-c${connections}`,
        `-d${seconds}s`,
        '--timeout',
        '10s',
        '-s',
        SCRIPT,
        request.origin,
      ];
      const headers = Object.entries(sequence.headers).flat();
      const command = pinned(cores, request.cores ?? cores.others, 'wrk', [
        ...options,
        '--',
        sequence.method,
        file,
        String(offset),
        ...headers,
      ]);
      return parseWrk(
        await runProgram({ ...command, timeoutSeconds: seconds + EXTRA_SECONDS, signal }),
      );
    },
  };
}
