import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateLimitOutcome } from '../../../../services/user-api/rate-limit/decision.ts';
import { Lease, type LeaseTerms } from '../../../../services/user-api/rate-limit/leased-limiter.ts';

/** The shared bucket, as plainly as can be: tokens with fractions. */
class SharedBucket {
  readonly #terms: LeaseTerms;
  #tokens: number;
  #time = 0;

  constructor(terms: LeaseTerms) {
    this.#terms = terms;
    this.#tokens = terms.burst;
  }

  take(now: number, cost: number, published: number): RateLimitOutcome {
    const { limit, burst, windowMilliseconds } = this.#terms;
    const refill = ((now - this.#time) * limit) / windowMilliseconds;
    this.#tokens = Math.min(burst, this.#tokens + refill) - published;
    this.#time = now;
    const allowed = this.#tokens >= cost;
    if (allowed) this.#tokens -= cost;
    const remaining = Math.max(0, Math.floor(this.#tokens));
    const reset = Math.ceil(((remaining + 1 - this.#tokens) * windowMilliseconds) / limit);
    return { allowed, remaining, resetMilliseconds: reset, retryAfterMilliseconds: 0 };
  }
}

interface Command {
  readonly cost: number;
  readonly published: number;
  readonly askedAt: number;
  /** Set once the bucket has carried it out. */
  response?: RateLimitOutcome;
}

type Step =
  | { readonly kind: 'wait'; readonly milliseconds: number }
  | { readonly kind: 'request' | 'carry-out' | 'answer'; readonly process: number };

/** Runs steps of several processes with commands in flight, and gives the times at which requests passed. */
function passesOf(terms: LeaseTerms, processes: number, steps: readonly Step[]): number[] {
  const bucket = new SharedBucket(terms);
  const leases = Array.from({ length: processes }, () => new Lease(terms, 0));
  const inFlight: Command[][] = leases.map(() => []);
  const passes: number[] = [];
  let now = 0;
  for (const step of steps) {
    if (step.kind === 'wait') {
      now += step.milliseconds;
      continue;
    }
    const lease = leases[step.process];
    const commands = inFlight[step.process];
    if (lease === undefined || commands === undefined) throw new Error('No such process');
    if (step.kind === 'request') {
      if (lease.refusedFor(now) > 0) continue;
      const passed = lease.spend(now) !== undefined;
      if (passed) passes.push(now);
      if (!passed || lease.runsLow) {
        commands.push({ cost: passed ? 0 : 1, published: lease.publish(now), askedAt: now });
      }
    } else if (step.kind === 'carry-out') {
      const next = commands.find(({ response }) => response === undefined);
      if (next === undefined) continue;
      next.response = bucket.take(now, next.cost, next.published);
      // Decided now, however late the process learns of it.
      if (next.cost === 1 && next.response.allowed) passes.push(now);
    } else {
      const [first] = commands;
      if (first?.response === undefined) continue;
      commands.shift();
      lease.published(first.published, first.askedAt, first.response);
    }
  }
  return passes;
}

const terms = fc
  .record({
    allowance: fc.integer({ min: 1, max: 6 }),
    windowMilliseconds: fc.constantFrom(1_000, 7_000),
    limit: fc.integer({ min: 1, max: 20 }),
    burst: fc.integer({ min: 1, max: 20 }),
  })
  .map((drawn): LeaseTerms => drawn);
const PROCESSES = 3;
const someProcess = fc.integer({ min: 0, max: PROCESSES - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('request'), process: someProcess }), weight: 12 },
  { arbitrary: fc.record({ kind: fc.constant('carry-out'), process: someProcess }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('answer'), process: someProcess }), weight: 3 },
  {
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      milliseconds: fc.oneof(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 200, max: 8_000 }),
      ),
    }),
    weight: 1,
  },
);

describe('Lease', () => {
  it('in any interleaving of processes whose commands take their time, keeps to burst + limit × t / window + P × A × (1 + t / window)', () => {
    fc.assert(
      fc.property(terms, fc.array(step, { minLength: 50, maxLength: 600 }), (terms, steps) => {
        const passes = passesOf(terms, PROCESSES, steps);
        const { allowance, windowMilliseconds, limit, burst } = terms;
        const excess = PROCESSES * allowance;
        let worst = Number.NEGATIVE_INFINITY;
        passes.forEach((from, first) => {
          for (let last = first; last < passes.length; last += 1) {
            const windows = ((passes[last] ?? 0) - from) / windowMilliseconds;
            const most = burst + limit * windows + excess * (1 + windows);
            worst = Math.max(worst, last - first + 1 - most);
          }
        });
        // A little for the fractions of the bucket above.
        expect(worst).toBeLessThan(1e-6);
      }),
      { numRuns: 1_000 },
    );
  });
});
