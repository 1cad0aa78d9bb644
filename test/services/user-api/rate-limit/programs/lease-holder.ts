/**
 * A process that holds a lease on one key, and spends it on command. Commands come by the channel `step`:
 * `take` passes one request and publishes it; `spend` passes as many as it can without asking Redis, within one tick of the event loop;
 * `ask` sends requests until one is refused. Each step responds with the requests that passed.
 */
import type { TokenBucketPolicy } from '../../../../../services/user-api/rate-limit/policy.ts';
import { createRateLimiter } from '../../../../../services/user-api/rate-limit/rate-limits.ts';
import { connectToRedis, sharedStateOn } from '../support/connect.ts';

export interface LeaseHolderOrder {
  readonly url: string;
  readonly policy: TokenBucketPolicy;
  readonly key: string;
  readonly expectedProcesses: number;
}

export type LeaseHolderMessage = 'ready' | number;

process.once('disconnect', () => process.exit());

const order: LeaseHolderOrder = JSON.parse(process.argv[2] ?? '');
const redis = await connectToRedis(order.url);
const limiter = createRateLimiter({ ...order, state: sharedStateOn(redis) });

const steps: Readonly<Record<string, () => Promise<number>>> = {
  async take() {
    const { allowed } = await limiter.decide(order.key);
    await limiter.close();
    return allowed ? 1 : 0;
  },
  async spend() {
    let passed = 0;
    while (limiter.decideNow(order.key)?.allowed === true) passed += 1;
    await limiter.close();
    return passed;
  },
  async ask() {
    let passed = 0;
    while ((await limiter.decide(order.key)).allowed) passed += 1;
    await limiter.close();
    return passed;
  },
};

const signals = redis.duplicate({ enableOfflineQueue: true });
signals.on('message', async (_channel, step) => {
  process.send?.(((await steps[step]?.()) ?? 0) satisfies LeaseHolderMessage);
});
await signals.subscribe('step');
process.send?.('ready' satisfies LeaseHolderMessage);
