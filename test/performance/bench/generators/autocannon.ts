import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import packageFile from '../../../../package.json' with { type: 'json' };
import { type Cores, pinned } from '../cores.ts';
import type { AutocannonOrder } from './autocannon-program.ts';
import { type ClosedLoopGenerator, LoadError, type LoadResult } from './generator.ts';

const PROGRAM = fileURLToPath(new URL('./autocannon-program.ts', import.meta.url));
const MICROSECONDS_PER_MILLISECOND = 1_000;

const report = z.object({
  duration: z.number(),
  errors: z.number(),
  '4xx': z.number(),
  '5xx': z.number(),
  requests: z.object({ total: z.number() }),
  latency: z.object({ p50: z.number(), p99: z.number(), p99_9: z.number() }),
});

/** Reads autocannon's result; its latencies are in whole milliseconds. */
export function parseAutocannon(output: string): LoadResult {
  const result = report.parse(JSON.parse(output));
  const { p50, p99, p99_9: p999 } = result.latency;
  return {
    requests: result.requests.total,
    seconds: result.duration,
    failures: result.errors + result['4xx'] + result['5xx'],
    latency: {
      p50: p50 * MICROSECONDS_PER_MILLISECOND,
      p99: p99 * MICROSECONDS_PER_MILLISECOND,
      p999: p999 * MICROSECONDS_PER_MILLISECOND,
    },
  };
}

/**
 * [autocannon](https://github.com/mcollina/autocannon), where wrk is not: it comes from npm, but one thread of it sends no more
 * than a bare server on one core answers, so that fast servers look alike; CPU time per request still tells them apart.
 */
export function createAutocannon(cores: Cores): ClosedLoopGenerator {
  return {
    name: `autocannon ${packageFile.devDependencies.autocannon}`,
    async run({ origin, sequence, connections, seconds, offset = 0, signal, ...request }) {
      const command = pinned(cores, request.cores ?? cores.others, process.execPath, [PROGRAM]);
      const child = spawn(command.command, [...command.arguments], {
        stdio: ['pipe', 'pipe', 'pipe'],
        signal,
      });
      const order: AutocannonOrder = {
        origin,
        method: sequence.method,
        headers: { ...sequence.headers },
        connections,
        seconds,
        offset,
        requests: Array.from({ length: sequence.length }, (_, place) => sequence.at(place)),
      };
      child.stdin.end(JSON.stringify(order));
      const [output, errors, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'exit'),
      ]);
      if (code !== 0) throw new LoadError(`autocannon failed: ${errors || output}`);
      return parseAutocannon(output);
    },
  };
}
