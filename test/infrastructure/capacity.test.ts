import { describe, expect, it } from 'vitest';
import {
  checkConnectionBudget,
  connectionBudget,
  maximumConnections,
} from '../../lib/capacity/connection-budget.ts';
import { production } from '../../lib/config/stages/production.ts';
import { stages } from '../../lib/config/stages.ts';
import { checkTimeouts, timeouts } from '../../lib/config/timeouts.ts';
import { workers } from '../../lib/config/workers.ts';

describe('the connection budget', () => {
  it.each(stages)('of $name, at its largest, is kept', (stage) => {
    expect(() => checkConnectionBudget(stage, workers)).not.toThrow();
  });

  it('of a stage, added up, counts a deployment, both endpoints, workers and a reserve', () => {
    // 60 tasks × 2 × a pool of 10 × 2 endpoints + 10 workers + 20 in reserve.
    expect(connectionBudget(production, workers)).toMatchObject({
      needed: 2_430,
      available: 5_000,
    });
    const database = { ...production.size.database, readers: 0 };
    const alone = { ...production, size: { ...production.size, database } };
    expect(connectionBudget(alone, workers).needed).toBe(1_230);
  });

  it('of a stage with too large a pool, when checked, gives the sum and the remedy', () => {
    const service = { ...production.size.service, maximumTasks: 200, databasePoolSize: 20 };
    const stage = { ...production, size: { ...production.size, service } };
    expect(() => checkConnectionBudget(stage, workers)).toThrow(
      'Stage "production" may need 16030 PostgreSQL connections (200 tasks × 2 during a deployment × a pool of 20 × 2 endpoint(s) + 10 for workers + 20 in reserve), but an instance takes 5000. Lower size.service.maximumTasks or databasePoolSize, or raise size.database.maximumCapacityUnits.',
    );
  });

  // The table of AWS; between its rows, the smaller one counts.
  it.each([
    [1, 1, 189],
    [1, 2, 189],
    [1, 4, 823],
    [2, 16, 3_360],
    [2, 256, 5_000],
    [0.5, 32, 2_000],
  ])(
    'of an instance from %d to %d capacity units, looked up, is %d',
    (minimum, maximum, connections) => {
      expect(maximumConnections(minimum, maximum)).toBe(connections);
    },
  );
});

describe('the timeouts', () => {
  it('as they are, checked, are in order', () => {
    expect(checkTimeouts(timeouts)).toBe(timeouts);
  });

  it.each([
    [
      { databaseStatement: 50 },
      'loadBalancerIdle is 50 s; it must be longer than databaseStatement',
    ],
    [{ edgeRead: 50 }, 'edgeRead is 50 s; it must be longer than loadBalancerIdle (50 s)'],
    [
      { edgeKeepAlive: 60 },
      'loadBalancerIdle is 50 s; it must be longer than edgeKeepAlive (60 s)',
    ],
    [{ serviceKeepAlive: 50 }, 'serviceKeepAlive is 50 s; it must be longer than loadBalancerIdle'],
    [{ shutdownDelay: 10 }, 'longer than healthCheckInterval × healthCheckFailures (10 s)'],
    [
      { deregistrationDelay: 20 },
      'deregistrationDelay is 20 s; it must be longer than shutdownTimeout',
    ],
    [{ containerStop: 45 }, 'containerStop is 45 s; it must be longer than shutdownDelay'],
    [{ containerStop: 121 }, 'Fargate takes at most 120 s'],
  ])('with %j, checked, name the pair that is out of order', (change, message) => {
    expect(() => checkTimeouts({ ...timeouts, ...change })).toThrow(message);
  });
});
