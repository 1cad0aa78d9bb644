import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Latency } from '../measurement.ts';

export interface WriteResult {
  readonly requests: number;
  readonly failures: number;
  /** From when a request was due, in microseconds. */
  readonly latency: Latency;
}

const MICROSECONDS_PER_MILLISECOND = 1_000;

/**
 * Creates users at a fixed rate, each due by the clock whatever has become of those before it. By `fetch`, because oha draws bodies
 * from a file at random, and no user can be created twice; the rate is a small one.
 */
export async function createUsersAt(
  rate: number,
  options: { readonly origin: string; readonly seconds: number; readonly signal: AbortSignal },
): Promise<WriteResult> {
  const { origin, seconds, signal } = options;
  const run = randomBytes(4).toString('hex');
  const count = Math.max(1, Math.round(rate * seconds));
  const startedAt = performance.now();
  let failures = 0;
  const latencies: number[] = [];

  async function create(number: number, dueAt: number): Promise<void> {
    try {
      const response = await fetch(`${origin}/api/v1/users`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Soak User', email: `soak.${run}.${number}@example.com` }),
        signal,
      });
      await response.arrayBuffer();
      if (response.status !== 201) failures += 1;
    } catch (error) {
      if (signal.aborted) throw error;
      failures += 1;
    }
    latencies.push((performance.now() - dueAt) * MICROSECONDS_PER_MILLISECOND);
  }

  const inFlight: Promise<void>[] = [];
  for (let number = 0; number < count; number += 1) {
    const dueAt = startedAt + (number * 1_000) / rate;
    const early = dueAt - performance.now();
    if (early > 0) await wait(early, undefined, { signal });
    inFlight.push(create(number, dueAt));
  }
  await Promise.all(inFlight);
  latencies.sort((one, other) => one - other);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    requests: count,
    failures,
    latency: { p50: at(0.5), p99: at(0.99), p999: at(0.999) },
  };
}
