import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { type Cores, pinned } from '../cores.ts';
import { writeUrls } from '../requests.ts';
import type { LoadResult, OpenLoopGenerator } from './generator.ts';
import { runProgram } from './run-program.ts';

/** Beyond the time asked for, until it has written its result. */
const EXTRA_SECONDS = 30;
const MICROSECONDS = 1_000_000;
/** What was in flight when the time was over; no failure of the server. */
const CUT_AT_THE_END = 'aborted due to deadline';
const FIRST_FAILURE_STATUS = 400;

/** Null where nothing was answered. */
const seconds = z
  .number()
  .nullable()
  .transform((value) => Math.round((value ?? 0) * MICROSECONDS));
const report = z.object({
  summary: z.object({ total: z.number() }),
  latencyPercentiles: z.object({ p50: seconds, p99: seconds, 'p99.9': seconds }),
  statusCodeDistribution: z.record(z.string(), z.number()),
  errorDistribution: z.record(z.string(), z.number()),
});

/** Reads oha's result in JSON. */
export function parseOha(output: string): LoadResult {
  const result = report.parse(JSON.parse(output));
  const { p50, p99, 'p99.9': p999 } = result.latencyPercentiles;
  let requests = 0;
  let failures = 0;
  for (const [status, count] of Object.entries(result.statusCodeDistribution)) {
    requests += count;
    if (Number(status) >= FIRST_FAILURE_STATUS) failures += count;
  }
  for (const [error, count] of Object.entries(result.errorDistribution)) {
    if (error !== CUT_AT_THE_END) failures += count;
  }
  return { requests, seconds: result.summary.total, failures, latency: { p50, p99, p999 } };
}

/** oha's version, or null when it is not on the PATH. */
export function ohaVersion(): string | null {
  try {
    const output = execFileSync('oha', ['--version'], { encoding: 'utf8', stdio: 'pipe' });
    return /^oha (\S+)/.exec(output)?.[1] ?? null;
  } catch {
    return null;
  }
}

/**
 * [oha](https://github.com/hatoo/oha) at a fixed rate with `--latency-correction`: a request is due by the clock, waits in a queue
 * without bound when all connections are busy, and its latency counts from when it was due. Requests become due in bunches, as
 * its timer ticks once a millisecond; so do those of whatever it is compared with.
 */
export function createOha(cores: Cores, version: string): OpenLoopGenerator {
  return {
    name: `oha ${version}`,
    async run({ origin, sequence, directory, connections, signal, ...request }, rate) {
      const file = join(directory, 'oha-urls.txt');
      await writeUrls(file, origin, sequence);
      const command = pinned(cores, request.cores ?? cores.others, 'oha', [
        ...['--no-tui', '--output-format', 'json', '--latency-correction'],
        ...['-z', `${request.seconds}s`, '-q', String(rate), '-c', String(connections)],
        ...Object.entries(sequence.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
        ...['--urls-from-file', file],
      ]);
      const timeoutSeconds = request.seconds + EXTRA_SECONDS;
      return parseOha(await runProgram({ ...command, timeoutSeconds, signal }));
    },
  };
}
