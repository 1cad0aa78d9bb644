import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { leaseAllowance } from '../../../../services/user-api/rate-limit/leased-limiter.ts';
import { SharedLimiter } from '../../../../services/user-api/rate-limit/shared-limiter.ts';
import { startNodeProgram } from '../../../support/node-program.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import type { LeaseHolderMessage } from './programs/lease-holder.ts';
import { sharedStateOn } from './support/connect.ts';
import { hammersForSuite, sumOf } from './support/hammers.ts';
import { DAY_SECONDS, HOUR_SECONDS, leasedPolicy, policy } from './support/policies.ts';
import { connectForSuite, remainingInRedis } from './support/suite-redis.ts';

const LEASE_HOLDER = fileURLToPath(new URL('./programs/lease-holder.ts', import.meta.url));
const PROCESSES = 4;
describeWithRedis('with several processes', (server) => {
  let redis: Redis;
  connectForSuite(server, (connected) => {
    redis = connected;
  });
  const hammer = hammersForSuite(PROCESSES);

  describe('SharedLimiter, when all send many times the limit of one key at once,', () => {
    it.each(['fixed-window', 'sliding-window', 'token-bucket'] as const)(
      '%s: passes exactly the limit, not one more or less',
      async (algorithm) => {
        // So long a window that none of it comes back during the test.
        const reports = await hammer(redis, {
          url: server().url,
          policy: policy(algorithm, 300, HOUR_SECONDS),
          key: 'user:1',
          expectedProcesses: PROCESSES,
          concurrency: 20,
          until: { requests: 500 },
        });
        expect(sumOf(reports, 'sent')).toBe(PROCESSES * 500);
        expect(sumOf(reports, 'allowed')).toBe(300);
        // The key was contended: more than one process had some of it.
        expect(reports.filter(({ allowed }) => allowed > 0).length).toBeGreaterThan(1);
      },
    );

    it('sliding-window: over several windows, passes the limit in each stretch of one window and never more', async () => {
      const limit = 40;
      const window = 1_000;
      const reports = await hammer(redis, {
        url: server().url,
        policy: policy('sliding-window', limit, window / 1_000),
        key: 'user:1',
        expectedProcesses: PROCESSES,
        concurrency: 5,
        until: { milliseconds: 2_500 },
      });
      const passed = reports.flatMap((report) => report.passed);
      // A request was decided somewhere between when it was sent and when its response came.
      const sent = passed.map(([sent]) => sent).toSorted((a, b) => a - b);
      const decided = passed.map(([, decided]) => decided).toSorted((a, b) => a - b);
      for (let first = 0; first + limit < passed.length; first += 1) {
        // Even at the widest reading, limit + 1 requests took a window (less the millisecond that Redis's clock is read in).
        expect((decided[first + limit] ?? 0) - (sent[first] ?? 0)).toBeGreaterThan(window - 1);
      }
      const hammered =
        Math.min(...reports.map(({ to }) => to)) - Math.max(...reports.map(({ from }) => from));
      expect(passed.length).toBeGreaterThanOrEqual(limit * Math.floor(hammered / window));
    });
  });

  describe('LeasedLimiter', () => {
    it('when all hold full leases at the moment the bucket runs dry, passes processes × allowance too many, and no more after that', async () => {
      const limits = leasedPolicy(400, DAY_SECONDS, 0.2);
      const allowance = leaseAllowance(limits, PROCESSES);
      const order = {
        url: server().url,
        policy: limits,
        key: 'user:1',
        expectedProcesses: PROCESSES,
      };
      const holders = Array.from({ length: PROCESSES }, () =>
        startNodeProgram<LeaseHolderMessage>(LEASE_HOLDER, [JSON.stringify(order)]),
      );
      onTestFinished(async () => {
        await Promise.all(holders.map((holder) => holder.end('SIGKILL')));
      });
      for (const holder of holders) await holder.next();
      const step = async (name: string) => {
        await redis.publish('step', name);
        const counts = await Promise.all(holders.map((holder) => holder.next()));
        return counts.reduce<number>((sum, count) => sum + Number(count), 0);
      };

      let passed = await step('take');
      // Somebody else uses up all that Redis has, asking for each.
      const exact = new SharedLimiter({ policy: limits, state: sharedStateOn(redis) });
      while ((await exact.decide('user:1')).allowed) passed += 1;
      passed += await step('spend');

      expect(passed).toBe(400 + PROCESSES * allowance);
      // Redis knows: the excess is a debt, and nobody may add to it.
      expect(await remainingInRedis(redis, limits, 'user:1')).toBe(-PROCESSES * allowance);
      expect(await step('spend')).toBe(0);
      expect(await step('ask')).toBe(0);
    });

    it('when they hammer one key, passes no less than the limit, and at most processes × allowance more', async () => {
      const limits = leasedPolicy(400, DAY_SECONDS, 0.2);
      const reports = await hammer(redis, {
        url: server().url,
        policy: limits,
        key: 'user:1',
        expectedProcesses: PROCESSES,
        concurrency: 20,
        until: { requests: 500 },
      });
      const allowed = sumOf(reports, 'allowed');
      expect(allowed).toBeGreaterThanOrEqual(400);
      expect(allowed).toBeLessThanOrEqual(400 + PROCESSES * leaseAllowance(limits, PROCESSES));
    });

    it('when they hammer one key while it is refilled, passes no more than the formula says, and starves nobody', async () => {
      const limits = leasedPolicy(200, 1, 0.2);
      const reports = await hammer(redis, {
        url: server().url,
        policy: limits,
        key: 'user:1',
        expectedProcesses: PROCESSES,
        concurrency: 5,
        until: { milliseconds: 1_500 },
      });
      const allowed = sumOf(reports, 'allowed');
      const froms = reports.map(({ from }) => from);
      const tos = reports.map(({ to }) => to);
      const longest = (Math.max(...tos) - Math.min(...froms)) / 1_000;
      const together = (Math.min(...tos) - Math.max(...froms)) / 1_000;
      const excess = PROCESSES * leaseAllowance(limits, PROCESSES) * (1 + longest);
      expect(allowed).toBeLessThanOrEqual(200 + 200 * longest + excess);
      // A busy machine runs some of them late, and tokens that come back to a full bucket are lost.
      expect(allowed).toBeGreaterThanOrEqual(0.5 * (200 + 200 * together));
      expect(reports.every((report) => report.allowed > 0)).toBe(true);
    });
  });
});
