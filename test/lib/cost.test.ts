import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { totalOf } from '../../lib/capacity/cost/cost-line.ts';
import { databaseCost } from '../../lib/capacity/cost/database-cost.ts';
import { edgeCost, FIREWALL_RULES } from '../../lib/capacity/cost/edge-cost.ts';
import {
  alarmMetrics,
  counts,
  SECRETS_PER_SERVICE,
} from '../../lib/capacity/cost/operations-cost.ts';
import { meanTasks, serviceCost } from '../../lib/capacity/cost/service-cost.ts';
import { priceList, prices } from '../../lib/capacity/data/prices.ts';
import { readerCapacityUnits, writerCapacityUnits } from '../../lib/capacity/load/database-load.ts';
import { loadAt, plannedLoad } from '../../lib/capacity/load/load.ts';
import { standardParts } from '../../lib/capacity/load/parts.ts';
import { planStage } from '../../lib/capacity/size/size-stage.ts';
import { services } from '../../lib/config/services.ts';
import { million } from '../../lib/config/stages/million.ts';
import { production } from '../../lib/config/stages/production.ts';
import { stageDefinitions } from '../../lib/config/stages/stages.ts';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';

const plan = planStage(production);
const { size } = plan.stage;
const dollarsOf = (lines: ReturnType<typeof edgeCost>, what: string) =>
  lines.find((line) => line.what === what)?.dollars;

describe('a price', () => {
  it.each(Object.entries(prices))(
    '%s, in the table, is positive and names its page',
    (_, price) => {
      expect(price.dollars).toBeGreaterThan(0);
      expect(price.source).toMatch(/^https:\/\/aws\.amazon\.com\/.*pricing/);
      expect(price.per).not.toBe('');
    },
  );

  it('of the table, has a day and a warning of how it came there', () => {
    expect(priceList.enteredOn).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(priceList.caveat).toContain('entered by hand');
  });
});

describe('the bill of a stage', () => {
  it.each(stageDefinitions)('$name, added up by part, is the sum of its lines', (definition) => {
    const { cost } = planStage(definition);
    const byPart = cost.byComponent.reduce((sum, { monthly }) => sum + monthly, 0);
    expect(byPart).toBeCloseTo(totalOf(cost.lines), 6);
    expect(cost.monthly).toBeCloseTo(byPart, 6);
    expect(cost.perMillionRequests * cost.millionRequests).toBeCloseTo(cost.monthly, 6);
    for (const line of cost.lines) {
      expect(line.dollars, line.what).toBeCloseTo(line.quantity * line.price.dollars, 6);
    }
  });

  it('of production, at its growth, is more expensive than now', () => {
    expect(plan.laterCost.monthly).toBeGreaterThan(plan.cost.monthly);
  });

  it('of production, for its budget, leaves a fifth, and never goes over the ceiling', () => {
    const { cost, stage } = plan;
    expect(stage.monthlyBudgetDollars).toBeGreaterThanOrEqual(cost.monthly * 1.2);
    expect(stage.monthlyBudgetDollars).toBeLessThan(cost.monthly * 1.2 + 10);
    const tight = Math.ceil(cost.monthly) + 1;
    const policy = { ...production.policy, spendCeilingDollars: tight };
    expect(planStage({ ...production, policy }).stage.monthlyBudgetDollars).toBe(tight);
  });
});

describe('the cost of the edge', () => {
  // 1,000 requests a second are 2,628 million in the 730 hours of a month.
  const load = loadAt({ ...production.workload, edgeCacheablePercent: 0 }, 1_000);
  const lines = edgeCost(size, load, 300);

  it('of 2,628 million requests, at a dollar and at 60 cents a million, is that', () => {
    expect(lines.filter(({ what }) => what === 'requests').map(({ dollars }) => dollars)).toEqual([
      expect.closeTo(2_628, 6),
      expect.closeTo(1_576.8, 6),
    ]);
  });

  it('of data to viewers, in several steps of the price, is their sum', () => {
    // 2,628 million × 750 bytes are 1,971 GB, all in the first step.
    expect(dollarsOf(lines, 'data to viewers')).toBeCloseTo(1_971 * 0.085, 6);
    // Ten times as much: 10,000 GB in the first step and 9,710 in the second.
    const more = edgeCost(size, loadAt(production.workload, 10_000), 300);
    expect(dollarsOf(more, 'data to viewers')).toBeCloseTo(10_000 * 0.085 + 9_710 * 0.08, 6);
  });

  it('with a shield, pays for each read that passes it', () => {
    const shielded = { ...size, edge: { ...size.edge, originShield: true } };
    const reads = ((load.origin - load.writes) * 2_628_000) / 1e6;
    expect(dollarsOf(edgeCost(shielded, load, 300), 'origin shield')).toBeCloseTo(reads * 0.75, 6);
    expect(dollarsOf(lines, 'origin shield')).toBeUndefined();
  });
});

describe('the cost of the service', () => {
  const { service } = size;

  it('at night, is that of the least tasks', () => {
    const idle = loadAt(production.workload, 1);
    expect(meanTasks(service, idle)).toBe(service.minimumTasks);
    // 3 tasks of 1 vCPU and 2 GiB for 730 hours.
    expect(totalOf(serviceCost(service, idle))).toBeCloseTo(3 * 730 * (0.03238 + 2 * 0.00356), 6);
  });

  it('with Spot capacity, is lower by what Spot saves on the tasks beyond the least', () => {
    const busy = plannedLoad(production).event;
    const without = totalOf(serviceCost({ ...service, spotPercent: 0 }, busy));
    const all = totalOf(serviceCost({ ...service, spotPercent: 100 }, busy));
    const share = service.minimumTasks / meanTasks(service, busy);
    expect(all / without).toBeCloseTo(share + (1 - share) * 0.35, 6);
  });
});

describe('the cost of the database', () => {
  const { database } = planStage(million).stage.size;
  const { today } = plannedLoad(million);
  const cost = (ioOptimized: boolean, load = today) =>
    totalOf(databaseCost({ ...database, ioOptimized }, load, million.workload));

  it('where I/O is most of it, decides for I/O-Optimized, and against it where not', () => {
    expect(cost(true)).toBeLessThan(cost(false));
    expect(database.ioOptimized).toBe(true);
    expect(size.database.ioOptimized).toBe(false);
  });

  it('with I/O-Optimized, does not depend on the I/O', () => {
    const idle = loadAt(million.workload, 1);
    expect(cost(true, idle)).toBeCloseTo(cost(true), 6);
    expect(cost(false, idle)).toBeLessThan(cost(false));
  });

  it.each([
    ['mostly reads', 0.01, [0, 1, 2, 4]],
    ['mostly writes', 1, [0, 1, 2, 4]],
  ] as const)(
    'serverless, with %s, has the writer, a first reader no smaller than it, and its other readers',
    (_, writes, readerCounts) => {
      const load = { ...today, writes: today.writes * writes };
      const [writer, reads] = [writerCapacityUnits(load), readerCapacityUnits(load)];
      for (const readers of readerCounts) {
        const lines = databaseCost(
          {
            ...database,
            mode: 'serverless',
            minimumCapacityUnits: 0.5,
            maximumCapacityUnits: 100_000,
            readers,
          },
          load,
          million.workload,
        );
        const units = (lines.find(({ what }) => what === 'capacity')?.quantity ?? 0) / 730;
        const each = reads / Math.max(1, readers);
        const expected = readers === 0 ? 0 : Math.max(writer, each) + (readers - 1) * each;
        expect(units, `${readers} readers`).toBeCloseTo(writer + expected, 6);
      }
    },
  );
});

describe('what the bill counts', () => {
  const stacks = readTemplates(inject('cloudAssembly'));
  const alarm = z.looseObject({
    Metrics: z.array(z.looseObject({ MetricStat: z.unknown().optional() })).optional(),
  });

  it.each(stages)('of $name, is what its templates have', ({ name, size: sized }) => {
    const own = stacks.filter(({ stage }) => stage === name);
    const of = (type: string) => resourcesOf(own, type);
    expect({
      dashboards: of('AWS::CloudWatch::Dashboard').length,
      compositeAlarms: of('AWS::CloudWatch::CompositeAlarm').length,
      keys: of('AWS::KMS::Key').length,
      // And the one that RDS makes.
      secrets: of('AWS::SecretsManager::Secret').length + 1,
    }).toEqual({ ...counts, secrets: counts.secrets + services.length * SECRETS_PER_SERVICE });
    const [firewall] = of('AWS::WAFv2::WebACL');
    expect(firewall?.Properties.Rules).toHaveLength(FIREWALL_RULES);
    const metrics = of('AWS::CloudWatch::Alarm').map(({ Properties }) => {
      const { Metrics } = alarm.parse(Properties);
      return Metrics?.filter(({ MetricStat }) => MetricStat !== undefined).length ?? 1;
    });
    const total = metrics.reduce((sum, one) => sum + one, 0);
    // An estimate by the size of the stage, a tenth of a dollar each: near is enough.
    expect(Math.abs(alarmMetrics(sized, standardParts) - total) / total).toBeLessThan(0.1);
  });
});
