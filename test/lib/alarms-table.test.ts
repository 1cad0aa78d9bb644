import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { alarmsOf } from './monitoring/alarms.ts';
import { alarmTable, compositeTable } from './monitoring/table.ts';
import { stages } from './support/stages.ts';
import { repositoryRoot } from './support/synthesise.ts';
import { readTemplates } from './support/templates.ts';

const alarms = alarmsOf(readTemplates(inject('cloudAssembly')));
const names = stages.map(({ name }) => name);
const floors = stages.map(
  ({ name, alarms: { errorRateMinimumRequests } }) => `${name} ${errorRateMinimumRequests}`,
);

const page = `# Alarms

Every alarm, what it looks at, and its threshold in each stage. What to do is in the [runbook](runbook.md). Generated from the templates by \`npm run test:update\`.

\`ticket\` alarms send their own notification, \`page\` alarms through that of their subsystem (below). *For* \`5/15 × 1 min\`: 5 of the last 15 periods of a minute past the threshold. *Without data*: the state when the metric has no value. *floor*: requests per minute (or per window of a burn rate)
below which an error rate counts as 0: ${floors.join(', ')}.

${alarmTable(alarms, names)}

## Alarms of alarms

${compositeTable(alarms, 'production')}
`;

describe('the table of alarms', () => {
  it('compared with the templates, is as reviewed', async () => {
    await expect(page).toMatchFileSnapshot(join(repositoryRoot, 'docs/alarms.md'));
  });

  it('of all stages together, has a row for each kind of alarm, and of production each composite one', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const metricAlarms = alarms
      .filter(({ kind }) => kind === 'metric')
      .map(({ key, heading }) => `${heading}${/\/(Long|Short)Window$/.exec(key)?.[0] ?? ''}`);
    const composites = alarms
      .filter(({ kind, stage }) => kind === 'composite' && stage === 'production')
      .map(({ key }) => key);
    const named = rows.map((line) => /^\| `([^`]+)`/.exec(line)?.[1]);
    expect(named.toSorted()).toEqual([...new Set(metricAlarms), ...composites].sort());
  });
});
