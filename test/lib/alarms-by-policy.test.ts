import { describe, expect, inject, it } from 'vitest';
import { sizeStage } from '../../lib/capacity/size/size-stage.ts';
import { production } from '../../lib/config/stages/production.ts';
import { createStage } from '../../lib/stacks/stage.ts';
import { alarmsOf } from './monitoring/alarms.ts';
import { ordinary } from './monitoring/courses.ts';
import { metricCatalogue } from './monitoring/metric-catalogue.ts';
import { replay } from './monitoring/replay.ts';
import { createTestApp } from './support/app.ts';
import { readTemplates } from './support/templates.ts';

const alarms = alarmsOf(
  readTemplates(inject('variantAssembly')).filter(({ stage }) => stage === 'choices'),
);

const latency = 'api/Service-user-api/Latency';
const failover = 'data/Database/Failover';

describe('alarms of a stage whose policy', () => {
  it('has overrides, are of the severity that it asks for, and silent where it says so', () => {
    const find = (key: string) => alarms.find((alarm) => alarm.key === key);
    expect(find(latency)?.topics).toContain('OperationsTicket');
    expect(find(failover)?.actions).toEqual([0, 0]);
    expect(find('observability/Page-database')).toMatchObject({
      rule: expect.stringContaining(failover),
    });
    expect(find('observability/Page-api')).toMatchObject({
      rule: expect.not.stringContaining(latency),
    });
    // Nothing is left of the edge that pages.
    expect(find('edge/Delivery/ErrorRate')?.actions).toEqual([0, 0]);
    expect(find('edge/Page')).toBeUndefined();
    expect(find(latency)?.description).toContain(
      'Runbook: https://example.com/headroom/docs/runbook.md#apiservicelatency',
    );
  });

  it('overrides an alarm that there is none of, fail the synthesis with the names there are', () => {
    const alarmOverrides = { 'api/Service-user-api/Latancy': { severity: 'ticket' } } as const;
    const stage = { ...production, policy: { ...production.policy, alarmOverrides } };
    const app = createTestApp();
    createStage(app, {
      stage: sizeStage(stage),
      images: { 'user-api': 'example.com/user-api:1.0.0' },
    });
    expect(() => app.synth()).toThrow(
      /Stage "production", policy\.alarmOverrides: There is no alarm "api\/Service-user-api\/Latancy"\. Did you mean "api\/Service-user-api\/Latency"\? There are: .*edge\/Delivery\/ErrorRate/,
    );
  });

  it('has a domain, tell of certificates that are not renewed, before and after they have ended', () => {
    const certificates = alarms.filter(({ key }) => key.endsWith('/CertificateExpiry'));
    expect(certificates.map(({ key }) => key).sort()).toEqual([
      'api/Ingress/CertificateExpiry',
      'edge/Delivery/CertificateExpiry',
    ]);
    const daysToExpiry = 'AWS/CertificateManager DaysToExpiry';
    for (const alarm of certificates) {
      if (alarm.kind === 'composite') throw new Error(`${alarm.name} is a composite alarm.`);
      expect(alarm.properties).toMatchObject({
        Threshold: 30,
        ComparisonOperator: 'LessThanThreshold',
        TreatMissingData: 'ignore',
      });
      const [metric] = alarm.metrics.values();
      expect(Object.keys(metric?.dimensions ?? {})).toEqual(
        metricCatalogue['AWS/CertificateManager']?.metrics.DaysToExpiry?.dimensions[0],
      );
      const stateWith = (days: number | undefined) =>
        replay([alarm], { ...ordinary, [daysToExpiry]: () => days }).get(alarm.name);
      expect(stateWith(30)).toBe('OK');
      expect(stateWith(29)).toBe('ALARM');
      // New, or just made: ACM says nothing for a day.
      expect(stateWith(undefined)).toBe('OK');
    }
  });
});
