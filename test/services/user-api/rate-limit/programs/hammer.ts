/**
 * One process of several that send requests of one key as fast as they can. For each order that it is sent, it reports `ready`, waits for
 * the channel `go`, sends its requests, reports each source of decisions when it first decides, and at the end what passed.
 */

import { setTimeout as wait } from 'node:timers/promises';
import type {
  DecisionCounts,
  DecisionSource,
} from '../../../../../services/user-api/rate-limit/decision.ts';
import type { RateLimitPolicy } from '../../../../../services/user-api/rate-limit/policy.ts';
import { createRateLimiter } from '../../../../../services/user-api/rate-limit/rate-limits.ts';
import { connectToRedis, sharedStateOn } from '../support/connect.ts';

export interface HammerOrder {
  readonly url: string;
  readonly policy: RateLimitPolicy;
  readonly key: string;
  readonly expectedProcesses: number;
  /** @default long, so that a busy machine does not look like an outage */
  readonly commandTimeoutMilliseconds?: number;
  /** Requests in flight at any time. */
  readonly concurrency: number;
  /** Requests in all; or until so many milliseconds have passed, and each source in `sources` (none by default) has decided. */
  readonly until:
    | { readonly requests: number }
    | { readonly milliseconds: number; readonly sources?: readonly DecisionSource[] };
}

export interface HammerReport {
  readonly sent: number;
  readonly allowed: number;
  readonly counts: DecisionCounts;
  /** When each allowed request was sent and decided, in milliseconds since 1970; of all processes of one machine, one clock. */
  readonly passed: readonly (readonly [sent: number, decided: number])[];
  /** When the first request was sent, and the last one decided. */
  readonly from: number;
  readonly to: number;
}

export type HammerMessage = 'ready' | DecisionSource | HammerReport;

const REFUSED_PAUSE_MILLISECONDS = 3;

process.once('disconnect', () => process.exit());
process.on('message', (order) => carryOut(order as HammerOrder));

const now = () => performance.timeOrigin + performance.now();

async function carryOut(order: HammerOrder): Promise<void> {
  const redis = await connectToRedis(order.url, order.commandTimeoutMilliseconds);
  const limiter = createRateLimiter({
    policy: order.policy,
    state: sharedStateOn(redis),
    expectedProcesses: order.expectedProcesses,
  });
  // No part of what is tested: it has all the time that a busy machine takes.
  const signals = redis.duplicate({ enableOfflineQueue: true, commandTimeout: 30_000 });
  const go = new Promise((resolve) => signals.once('message', resolve));
  await signals.subscribe('go');
  process.send?.('ready' satisfies HammerMessage);
  await go;

  const from = now();
  const passed: [number, number][] = [];
  const deciding = new Set<DecisionSource>();
  let sent = 0;

  function more(): boolean {
    if ('requests' in order.until) return sent < order.until.requests;
    const { milliseconds, sources = [] } = order.until;
    return now() - from < milliseconds || sources.some((source) => !deciding.has(source));
  }

  async function send(): Promise<void> {
    while (more()) {
      sent += 1;
      const sentAt = now();
      const { allowed, source } = await limiter.decide(order.key);
      if (!deciding.has(source)) {
        deciding.add(source);
        process.send?.(source satisfies HammerMessage);
      }
      if (allowed) passed.push([sentAt, now()]);
      // Still hundreds of times as often as any comes back, and the other processes get their turn on a busy machine.
      else await wait(REFUSED_PAUSE_MILLISECONDS);
    }
  }

  await Promise.all(Array.from({ length: order.concurrency }, send));
  const to = now();
  await limiter.close();
  redis.disconnect();
  signals.disconnect();
  const report: HammerReport = {
    sent,
    allowed: passed.length,
    counts: limiter.counts,
    passed,
    from,
    to,
  };
  process.send?.(report satisfies HammerMessage);
}
