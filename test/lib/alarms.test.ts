import { describe, expect, inject, it } from 'vitest';
import { services } from '../../lib/config/services.ts';
import { burnFactor, burnRates } from '../../lib/constructs/operations/burn-rate.ts';
import { alarmKey } from '../../lib/constructs/operations/runbook.ts';
import { subsystemOf, subsystems } from '../../lib/constructs/operations/subsystem.ts';
import {
  type AnyAlarm,
  alarmsOf,
  type CompositeAlarm,
  type MetricAlarm,
} from './monitoring/alarms.ts';
import { metricCatalogue } from './monitoring/metric-catalogue.ts';
import { stages } from './support/stages.ts';
import { readTemplates } from './support/templates.ts';

const alarms = alarmsOf(readTemplates(inject('cloudAssembly')));
const isMetricAlarm = (alarm: AnyAlarm): alarm is MetricAlarm => alarm.kind === 'metric';
const isComposite = (alarm: AnyAlarm): alarm is CompositeAlarm => alarm.kind === 'composite';
const ofStage = (name: string) => alarms.filter(({ stage }) => stage === name);
/** `Page-api` in the stage's own region, and `edge/Page` in CloudFront's. */
const pagers = alarms
  .filter(isComposite)
  .filter(({ key }) => key === 'edge/Page' || key.startsWith('observability/Page-'));

function find(key: string, stage = 'production'): MetricAlarm {
  const alarm = alarms.find((one) => one.stage === stage && one.key === key);
  if (alarm?.kind !== 'metric') throw new Error(`${stage} has no metric alarm ${key}.`);
  return alarm;
}

const settings = ({ properties }: MetricAlarm) => ({
  threshold: properties.Threshold,
  comparison: properties.ComparisonOperator,
  datapoints: properties.DatapointsToAlarm,
  periods: properties.EvaluationPeriods,
  missing: properties.TreatMissingData,
});
const looksAt = ({ metrics }: MetricAlarm) =>
  [...metrics.values()].map(
    ({ namespace, name, statistic, period }) => `${statistic} of ${namespace} ${name}, ${period} s`,
  );

describe('the three alarms that every stage must have', () => {
  it.each(stages)(
    'in $name: an error rate with a traffic threshold, for 5 minutes',
    ({ name, alarms: thresholds }) => {
      const alarm = find('api/Ingress/ErrorRate', name);
      expect(settings(alarm)).toEqual({
        threshold: 5,
        comparison: 'GreaterThanThreshold',
        datapoints: 5,
        periods: 5,
        missing: 'notBreaching',
      });
      expect(Object.fromEntries(alarm.expressions)).toMatchObject({
        errors: 'FILL(count1, 0) + FILL(count2, 0)',
        answered: 'FILL(requests, 0)',
        total: 'MAX([answered, errors])',
      });
      expect(alarm.expressions.at(-1)?.[1]).toBe(
        `IF(total >= ${thresholds.errorRateMinimumRequests}, 100 * errors / total, 0)`,
      );
      expect(looksAt(alarm).sort()).toEqual([
        'Sum of AWS/ApplicationELB HTTPCode_ELB_5XX_Count, 60 s',
        'Sum of AWS/ApplicationELB HTTPCode_Target_5XX_Count, 60 s',
        'Sum of AWS/ApplicationELB RequestCount, 60 s',
      ]);
    },
  );

  it.each(stages)('in $name: a 95th percentile over one second, not a hundred', ({ name }) => {
    const alarm = find('api/Service-user-api/Latency', name);
    expect(looksAt(alarm)).toEqual(['p95 of AWS/ApplicationELB TargetResponseTime, 60 s']);
    expect(metricCatalogue['AWS/ApplicationELB']?.metrics.TargetResponseTime?.unit).toBe('Seconds');
    expect(settings(alarm)).toMatchObject({ threshold: 1, comparison: 'GreaterThanThreshold' });
    // A percentile of a handful of requests is one slow request.
    expect(alarm.properties.EvaluateLowSampleCountPercentile).toBe('ignore');
  });

  it.each(stages)('in $name: CPU over 80 % for 10 minutes', ({ name }) => {
    const alarm = find('api/Service-user-api/Cpu', name);
    expect(looksAt(alarm)).toEqual(['Average of AWS/ECS CPUUtilization, 60 s']);
    expect(settings(alarm)).toEqual({
      threshold: 80,
      comparison: 'GreaterThanThreshold',
      datapoints: 10,
      periods: 10,
      missing: 'notBreaching',
    });
  });
});

describe('every alarm', () => {
  const cases = alarms.filter(isMetricAlarm);

  it.each(stages)('of $name, of its metrics, takes statistics that mean something', (stage) => {
    const own = cases.filter((alarm) => alarm.stage === stage.name);
    expect(own.length).toBeGreaterThan(30);
    for (const alarm of own) {
      for (const { namespace, name, statistic, dimensions } of alarm.metrics.values()) {
        const documented = metricCatalogue[namespace]?.metrics[name];
        expect(documented, `${alarm.name}: ${namespace} ${name} is not documented`).toBeDefined();
        expect(documented?.statistics, `${alarm.name}: ${name}`).toContain(statistic);
        expect(documented?.dimensions.map((set) => [...set].sort())).toContainEqual(
          Object.keys(dimensions).sort(),
        );
      }
    }
  });

  it.each(stages)(
    'of $name, of its periods, has one, and looks at no more than CloudWatch allows',
    (stage) => {
      const day = 86_400;
      for (const { name, metrics, properties } of cases.filter((one) => one.stage === stage.name)) {
        const periods = new Set([...metrics.values()].map(({ period }) => period));
        expect(periods.size, name).toBe(1);
        const [period = 0] = periods;
        // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        expect(period * properties.EvaluationPeriods, name).toBeLessThanOrEqual(
          period < 3_600 ? day : 7 * day,
        );
        expect(metrics.size, name).toBeLessThanOrEqual(10);
        expect(properties.DatapointsToAlarm, name).toBeLessThanOrEqual(
          properties.EvaluationPeriods,
        );
      }
    },
  );

  it('of the database, goes by roles or the cluster: a failover swaps the instances', () => {
    for (const { name, metrics } of cases) {
      for (const { dimensions } of metrics.values()) {
        expect(Object.keys(dimensions), name).not.toContain('DBInstanceIdentifier');
      }
    }
  });

  it('of percentiles, stays as it is with few requests', () => {
    const percentiles = cases.filter((alarm) => looksAt(alarm).some((text) => /^p\d/.test(text)));
    expect(percentiles).toHaveLength(2 * services.length * stages.length);
    for (const { name, properties } of percentiles) {
      expect(properties.EvaluateLowSampleCountPercentile, name).toBe('ignore');
    }
  });

  it('takes silence for quiet, but where its metric is always there, or comes seldom', () => {
    const others = new Map(
      cases
        .filter(({ properties }) => properties.TreatMissingData !== 'notBreaching')
        .map(({ heading, properties }) => [heading, properties.TreatMissingData]),
    );
    expect(Object.fromEntries(others)).toEqual({
      'api/Service/NoHealthyTasks': 'breaching',
      'data/Database/Storage': 'ignore',
    });
  });
});

describe('what tells people', () => {
  it.each(stages)('in $name, for each subsystem, pages by one alarm', ({ name }) => {
    const keys = pagers.filter(({ stage }) => stage === name).map(({ key }) => key);
    const expected = subsystems.map((subsystem) =>
      subsystem === 'edge' ? 'edge/Page' : `observability/Page-${subsystem}`,
    );
    expect(keys.sort()).toEqual(expected.sort());
  });

  it.each(stages)('in $name, of each alarm, is at most one topic, both times', (stage) => {
    for (const { name, key, actions, topics } of ofStage(stage.name)) {
      const [on, off] = actions;
      expect(off, name).toBe(on);
      expect(on, name).toBeLessThanOrEqual(1);
      if (on === 0) continue;
      const isPager = pagers.some((pager) => pager.stage === stage.name && pager.key === key);
      expect(topics, name).toMatch(isPager ? /OperationsPage/ : /OperationsTicket/);
    }
  });

  it.each(stages)(
    'in $name, of an alarm that tells nobody itself, is a composite one that does',
    ({ name }) => {
      const own = ofStage(name);
      const told = new Map<string, number>();
      for (const composite of own.filter(isComposite)) {
        for (const [, condition = ''] of composite.rule.matchAll(/"([^"]+)"/g)) {
          told.set(condition, (told.get(condition) ?? 0) + 1);
        }
      }
      for (const alarm of own) {
        const isSilent = alarm.actions[0] === 0;
        // In exactly one, so that it pages once.
        expect(told.get(alarm.name) ?? 0, alarm.name).toBe(isSilent ? 1 : 0);
      }
    },
  );

  it('of alarms, puts each into the subsystem that pages for it', () => {
    for (const { key, rule, stage } of pagers) {
      const subsystem = key === 'edge/Page' ? 'edge' : key.replace('observability/Page-', '');
      for (const [, name = ''] of rule.matchAll(/"([^"]+)"/g)) {
        expect(subsystemOf(alarmKey(name, { name: stage }))).toBe(subsystem);
        expect(name).toMatch(new RegExp(`^headroom-${stage}-`));
      }
    }
  });

  it('while the API pages, leaves what is behind it unsaid, and never the other way round', () => {
    for (const { key, isSuppressed } of pagers) {
      expect(isSuppressed, key).toBe(!['edge/Page', 'observability/Page-api'].includes(key));
    }
  });
});

describe('burn rates', () => {
  // https://sre.google/workbook/alerting-on-slos/, table 5-8; the last of them is over a day in place of three.
  it.each([
    ['fast', 14.4],
    ['slow', 6],
    ['lasting', 3],
  ] as const)('of the %s one, computed from budget and window, are %f', (name, factor) => {
    expect(burnFactor(burnRates[name])).toBeCloseTo(factor, 10);
    const { longWindow, shortWindow } = burnRates[name];
    expect(longWindow.toMinutes() / shortWindow.toMinutes()).toBe(12);
  });

  it.each([
    ['production', 'FastBurn', 1.44],
    ['production', 'SlowBurn', 0.6],
    ['production', 'LastingBurn', 0.3],
    ['million', 'FastBurn', 0.72],
    ['dev', 'FastBurn', 72],
  ])('in %s, of %s, go off at %f %% of the requests', (stage, name, percent) => {
    for (const window of ['LongWindow', 'ShortWindow']) {
      expect(find(`api/Ingress/${name}/${window}`, stage).properties.Threshold).toBe(percent);
    }
  });
});
