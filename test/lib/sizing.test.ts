import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findConnectionProblems } from '../../lib/capacity/limits/connection-budget.ts';
import { vcpusFor } from '../../lib/capacity/load/load.ts';
import { standardParts } from '../../lib/capacity/load/parts.ts';
import { planStage, sizeStage } from '../../lib/capacity/size/size-stage.ts';
import { ConfigurationError } from '../../lib/config/configuration-error.ts';
import { findFargateProblem } from '../../lib/config/fargate.ts';
import type { StageDefinition } from '../../lib/config/stage.ts';
import { dev } from '../../lib/config/stages/dev.ts';
import { million } from '../../lib/config/stages/million.ts';
import { production } from '../../lib/config/stages/production.ts';

type Change = Partial<StageDefinition['workload']>;

const withWorkload = (stage: StageDefinition, change: Change): StageDefinition => ({
  ...stage,
  workload: { ...stage.workload, ...change },
});
const withPolicy = (
  stage: StageDefinition,
  change: Partial<StageDefinition['policy']>,
): StageDefinition => ({ ...stage, policy: { ...stage.policy, ...change } });
/** Without the limits of an account, so that only what AWS cannot do at all is refused. */
const unlimited = (stage: StageDefinition): StageDefinition =>
  withPolicy(stage, {
    spendCeilingDollars: 1e12,
    grantedQuotas: {
      'L-3032A538': 1e6,
      'L-36FBB829': 1e6,
      'L-7E6692B2': 1e6,
      'L-A0D0B863': 1e6,
      'L-0BB7B635': 1e6,
      'L-B99A9384': 1e6,
      'L-CDEF9B6B': 1e6,
      'L-804C8AE8': 1e9,
      'L-DFE45DF3': 1e4,
      'L-AF354865': 500,
      'L-DF5E4CA3': 1e6,
      'cloudfront-requests-per-second': 1e8,
      'cloudfront-gigabits-per-second': 1e6,
    },
  });

describe('sizes', () => {
  it('of any workload, are what the load needs within what AWS has, or are refused', () => {
    const workload = fc.record({
      peakRequestsPerSecond: fc.double({ min: 1, max: 3_000_000, noNaN: true }),
      averagePercent: fc.integer({ min: 1, max: 100 }),
      readPercent: fc.integer({ min: 0, max: 100 }),
      edgeCacheablePercent: fc.integer({ min: 0, max: 100 }),
      payloadBytes: fc.integer({ min: 1, max: 20_000 }),
      users: fc.integer({ min: 1, max: 500_000_000 }),
      createPercent: fc.integer({ min: 0, max: 100 }),
      loginPercent: fc.double({ min: 0, max: 5, noNaN: true }),
      growthPercentPerYear: fc.integer({ min: 0, max: 300 }),
    });
    const base = fc.constantFrom(dev, production, million);
    let sized = 0;
    fc.assert(
      fc.property(base, workload, (stage, change) => {
        const definition = unlimited(withWorkload(stage, change));
        let plan: ReturnType<typeof planStage>;
        try {
          plan = planStage(definition);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
          return;
        }
        sized += 1;
        const { service, database, cache } = plan.stage.size;
        const target = service.cpuTargetPercent / 100;
        const vcpus = (service.maximumTasks * service.cpuUnits) / 1_024;
        expect(vcpus * target).toBeGreaterThanOrEqual(vcpusFor(plan.load.event) - 1e-6);
        expect(findFargateProblem(service.cpuUnits, service.memoryMebibytes)).toBeUndefined();
        expect(findConnectionProblems('any', plan.stage.size, standardParts)).toEqual([]);
        expect(service.minimumTasks).toBeLessThanOrEqual(service.typicalTasks);
        expect(service.typicalTasks).toBeLessThanOrEqual(service.maximumTasks);
        // A scheduled action that lowered the least would be worse than none.
        for (const event of service.events)
          expect(event.minimumTasks).toBeGreaterThanOrEqual(service.minimumTasks);
        expect(database.readers).toBeLessThanOrEqual(database.maximumReaders);
        expect(cache.shards).toBeGreaterThanOrEqual(1);
        for (const { needed, available } of plan.quotas)
          expect(needed).toBeLessThanOrEqual(available);
      }),
      { numRuns: 300 },
    );
    // The property says nothing if everything is refused.
    expect(sized).toBeGreaterThan(50);
  });

  it('of a stage with more traffic, never get smaller', () => {
    let before = sizeStage(unlimited(withWorkload(production, { peakRequestsPerSecond: 10 })));
    for (let peak = 20; peak <= 40_000; peak *= 2) {
      const after = sizeStage(unlimited(withWorkload(production, { peakRequestsPerSecond: peak })));
      const vcpus = ({ size }: typeof after) => size.service.maximumTasks * size.service.cpuUnits;
      expect(vcpus(after)).toBeGreaterThanOrEqual(vcpus(before));
      expect(after.size.database.maximumCapacityUnits).toBeGreaterThanOrEqual(
        before.size.database.maximumCapacityUnits,
      );
      expect(after.size.workerConcurrency.email).toBeGreaterThanOrEqual(
        before.size.workerConcurrency.email ?? 0,
      );
      before = after;
    }
  });

  it('of a stage that must survive the loss of a zone, suffice without one', () => {
    const { load, stage } = planStage(production);
    const { size } = stage;
    const left = (size.service.maximumTasks * 2) / 3;
    expect((left * size.service.cpuUnits * 0.7) / 1_024).toBeGreaterThanOrEqual(
      vcpusFor(load.event) - 0.5,
    );
    expect(size.service.minimumTasks).toBeGreaterThanOrEqual(3);
    expect(size.cache.replicas).toBe(2);
    expect(size.database.readers).toBeGreaterThanOrEqual(2);
  });

  it('of a sale day, are for its peak, and its tasks are there half an hour before', () => {
    const quiet = sizeStage(withPolicy(production, { events: [] })).size.service;
    const { service } = sizeStage(production).size;
    expect(service.maximumTasks * service.cpuUnits).toBeGreaterThan(
      3 * quiet.maximumTasks * quiet.cpuUnits,
    );
    const [event] = service.events;
    expect(event).toMatchObject({ name: 'sale-day', from: '2027-11-25T23:30:00.000Z' });
    expect(event?.minimumTasks).toBeGreaterThan(service.minimumTasks);
    expect(event?.minimumTasks).toBeLessThanOrEqual(service.maximumTasks);
  });

  it('of endpoints, are those that cost less than the same data through NAT', () => {
    expect(sizeStage(dev).size.network.interfaceEndpoints).toEqual([]);
    expect(sizeStage(million).size.network.interfaceEndpoints).toContain('logs');
    const network = { ...dev.policy.network, interfaceEndpoints: ['sqs'] as const };
    expect(sizeStage(withPolicy(dev, { network })).size.network.interfaceEndpoints).toEqual([
      'sqs',
    ]);
  });
});

describe('what cannot be', () => {
  const onlyUserApi = {
    ...standardParts,
    services: standardParts.services.slice(0, 1).map((one) => ({ ...one, trafficPercent: 100 })),
  };
  /** The message of the error that sizing `stage` ends with. */
  const refusal = (stage: StageDefinition, parts = standardParts): string => {
    try {
      planStage(stage, parts);
    } catch (error) {
      if (error instanceof ConfigurationError) return error.message;
      throw error;
    }
    throw new Error('Nothing was refused.');
  };

  it('because of a quota, is refused with its name, its code, both figures and what to do', () => {
    const { grantedQuotas: _, ...policy } = production.policy;
    expect(refusal({ ...production, policy }, onlyUserApi)).toContain(
      'Stage "production" may need 48 of the quota "Fargate On-Demand vCPU resource count" (fargate, L-3032A538): 24 tasks × 2 during a deployment × 1 vCPU. ' +
        "The account has 6, which is the standard. Ask AWS for more and state it as policy.grantedQuotas: { 'L-3032A538': 48 }, or make the stage smaller (https://docs.aws.amazon.com/general/latest/gr/ecs-service.html).",
    );
  });

  it('because a granted quota does not exist, is refused with those that do', () => {
    const grantedQuotas = { ...production.policy.grantedQuotas, 'L-3032A358': 100 };
    expect(refusal(withPolicy(production, { grantedQuotas }))).toContain(
      'policy.grantedQuotas: There is no quota "L-3032A358". Did you mean "L-3032A538"?',
    );
  });

  it('because of the spend ceiling, is refused with what costs most', () => {
    expect(refusal(withPolicy(production, { spendCeilingDollars: 1_000 }))).toMatch(
      /^Stage "production" would cost \$[\d,]+ a month at list prices, more than its ceiling of \$1,000 \(policy\.spendCeilingDollars\)\. Most of it: edge \$/,
    );
  });

  it('because one writer cannot write so much, is refused with the way out', () => {
    expect(refusal(unlimited(withWorkload(million, { readPercent: 80 })))).toContain(
      'Stage "million": 200,000 writes/s at the highest peak need a writer of 400 vCPUs, but the largest provisioned one has 192. Write less (workload.readPercent), or spread users over several clusters.',
    );
  });

  it('because one node cannot hold all sessions, is refused', () => {
    expect(refusal(unlimited(withWorkload(million, { users: 600_000_000 })))).toContain(
      'Stage "million": the sessions of 600,000,000 users (83.8 GiB) do not fit into the largest cache node',
    );
  });

  const unknown = (to: string) => ({ to, because: 'a test of unknown types' });
  it.each([
    [
      { 'cache.nodeType': unknown('cache.r9g.large') },
      'There is no node type "cache.r9g.large". Did you mean',
    ],
    [
      { 'database.instanceClass': unknown('db.r8g.huge') },
      'There is no instance class "db.r8g.huge".',
    ],
  ])('because of %j, which nobody knows, is refused', (overrides, message) => {
    expect(refusal({ ...production, overrides })).toContain(message);
  });

  it('without a reason for an override, is refused', () => {
    const overrides = { 'service.maximumTasks': { to: 20, because: '' } };
    expect(refusal({ ...production, overrides })).toContain(
      'overrides.service.maximumTasks.because got "". It takes a reason, in a sentence.',
    );
  });
});
