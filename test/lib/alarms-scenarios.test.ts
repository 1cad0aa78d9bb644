import { describe, expect, inject, it } from 'vitest';
import { services } from '../../lib/config/services.ts';
import { alarmsOf } from './monitoring/alarms.ts';
import { ordinary } from './monitoring/courses.ts';
import { replay } from './monitoring/replay.ts';
import { scenarios } from './monitoring/scenarios.ts';
import { readTemplates } from './support/templates.ts';

const production = alarmsOf(
  readTemplates(inject('cloudAssembly')).filter(({ stage }) => stage === 'production'),
);
/** A further service has the same alarms, with thresholds of its own (extension.test.ts); the scenarios are those of the user API. */
const watched = production.filter(
  ({ key }) => !services.slice(1).some(({ name }) => key.includes(`/Service-${name}/`)),
);

describe('production’s alarms', () => {
  it.each(scenarios)('in $name, replayed, go off as they should', ({ data, alarms }) => {
    const states = replay(production, data);
    const on = watched.filter(({ name }) => states.get(name) === 'ALARM').map(({ key }) => key);
    expect(on.sort()).toEqual([...alarms].sort());
  });

  it('in all scenarios together, go off at least once each', () => {
    const covered = new Set(scenarios.flatMap(({ alarms }) => alarms));
    expect(watched.map(({ key }) => key).filter((key) => !covered.has(key))).toEqual([]);
  });

  it('of an ordinary noon, whose metrics are listed, look at nothing that is not, and all of it', () => {
    const asked = new Set(
      production.flatMap((alarm) =>
        alarm.kind === 'composite'
          ? []
          : [...alarm.metrics.values()].map(({ namespace, name, dimensions }) =>
              [namespace, name, dimensions.Role].filter((part) => part !== undefined).join(' '),
            ),
      ),
    );
    // No stage has a domain, so far, and so a certificate.
    asked.add('AWS/CertificateManager DaysToExpiry');
    expect([...asked].sort()).toEqual(Object.keys(ordinary).sort());
  });
});
