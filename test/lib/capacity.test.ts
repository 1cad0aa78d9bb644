import { describe, expect, it } from 'vitest';
import {
  connectionNeed,
  findConnectionProblems,
} from '../../lib/capacity/limits/connection-budget.ts';
import { standardParts } from '../../lib/capacity/load/parts.ts';
import { maximumConnections, smallestCapacityFor } from '../../lib/capacity/size/size-database.ts';
import { planStage, sizeStage } from '../../lib/capacity/size/size-stage.ts';
import { production } from '../../lib/config/stages/production.ts';
import { checkTimeouts, timeouts } from '../../lib/config/timeouts.ts';
import { workers } from '../../lib/config/workers.ts';
import { stages, workerConnections } from './support/stages.ts';

/** Of all workers, the one whose concurrency the tests give. */
const parts = { ...standardParts, workers: workers.filter(({ name }) => name === 'email') };

describe('the connection budget', () => {
  it.each(stages)('of $name, at its largest, is kept', ({ name, size }) => {
    expect(findConnectionProblems(name, size, standardParts)).toEqual([]);
  });

  it('of a stage, added up, counts a deployment, both endpoints, workers, schedules and a reserve', () => {
    const users = {
      service: { redundantTasks: 3, minimumTasks: 12, maximumTasks: 60, databasePoolSize: 10 },
      workerConcurrency: { email: 10 },
    };
    // 60 tasks × 2 × a pool of 10 × 2 endpoints + 10 workers + 1 schedule + 20 in reserve.
    expect(connectionNeed({ ...users, hasReaders: true }, parts).needed).toBe(2_431);
    expect(connectionNeed({ ...users, hasReaders: false }, parts).needed).toBe(1_231);
  });

  it('of a system with two services, added up, counts the share of each', () => {
    const [service] = standardParts.services;
    if (service === undefined) throw new Error('There is no service.');
    const users = {
      service: { redundantTasks: 3, minimumTasks: 12, maximumTasks: 60, databasePoolSize: 10 },
      workerConcurrency: { email: 10 },
      hasReaders: true,
    };
    const services = [
      { ...service, trafficPercent: 80 },
      { ...service, name: 'second', trafficPercent: 20 },
    ];
    // 48 + 12 tasks are 60, as one service would have.
    expect(connectionNeed(users, { ...parts, services })).toMatchObject({
      needed: 2_431,
      reason: expect.stringContaining('(user-api 48 + second 12) tasks × 2 during a deployment'),
    });
  });

  it('of a stage with too large a pool, when sized, gives the sum and the remedy', () => {
    const overrides = {
      'service.maximumTasks': { to: 200, because: 'a test of too many tasks' },
      'service.databasePoolSize': { to: 20, because: 'a test of too large a pool' },
    };
    const ofWorkers = workerConnections(sizeStage(production).size);
    const [one] = standardParts.services.map((service) => ({ ...service, trafficPercent: 100 }));
    const alone = { ...standardParts, services: one === undefined ? [] : [one] };
    expect(() => planStage({ ...production, overrides }, alone)).toThrow(
      `Stage "production" may need ${16_021 + ofWorkers} PostgreSQL connections (200 tasks × 2 during a deployment × a pool of 20 × 2 endpoint(s) + ${ofWorkers} for workers + 1 for schedules + 20 in reserve), but an instance takes 5000. Lower service.maximumTasks or service.databasePoolSize, as no instance takes more by default, or spread users over several clusters.`,
    );
  });

  it('of a stage whose database may grow, when exceeded, says what to raise', () => {
    const overrides = {
      'database.maximumCapacityUnits': { to: 4, because: 'a test of a small database' },
      'service.databasePoolSize': { to: 12, because: 'a test of a larger pool' },
    };
    expect(() => sizeStage({ ...production, overrides })).toThrow(
      'but an instance takes 823. Lower service.maximumTasks or service.databasePoolSize, or raise database.maximumCapacityUnits.',
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

  it.each([
    [188, 1],
    [189, 4],
    [4_999, 32],
    [5_000, 32],
  ])('for %d connections, looked up, asks for %d capacity units', (connections, units) => {
    expect(smallestCapacityFor(connections)).toBe(units);
  });
});
describe('the timeouts', () => {
  it('as they are, checked, are in order', () => {
    expect(checkTimeouts(timeouts)).toBe(timeouts);
  });

  it.each([
    [
      { databaseStatement: 10 },
      'serviceRequest is 10 s; it must be longer than databaseStatement (10 s)',
    ],
    [
      { serviceRequest: 50 },
      'loadBalancerIdle is 50 s; it must be longer than serviceRequest (50 s)',
    ],
    [{ serviceRequest: 20 }, 'shutdownTimeout is 20 s; it must be longer than serviceRequest'],
    [{ client: 55 }, 'client is 55 s; it must be longer than edgeRead (55 s): each part must'],
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
