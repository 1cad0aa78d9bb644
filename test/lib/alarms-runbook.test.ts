import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { anchorOf, RUNBOOK, runbookHeading } from '../../lib/constructs/operations/runbook.ts';
import { alarmsOf } from './monitoring/alarms.ts';
import { stages } from './support/stages.ts';
import { repositoryRoot } from './support/synthesise.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';

const stacks = readTemplates(inject('cloudAssembly'));
const alarms = alarmsOf(stacks);
const page = readFileSync(join(repositoryRoot, RUNBOOK), 'utf8');

/** Each section about an alarm, by its heading. */
const sections = page
  .split(/^(?=#{1,3} )/m)
  .filter((section) => section.startsWith('### '))
  .map((section) => ({
    heading: /^### `(.+)`$/m.exec(section)?.[1] ?? section.split('\n')[0],
    text: section,
  }));
const parts = ['Meaning.', 'Check.', 'Action.'];
/** Shorter is no advice: a sentence at least. */
const LEAST_CHARACTERS = 30;

/** No stage has a domain so far, and so a certificate: `alarms-of-domains.test.ts` has a stage that does. */
const ofDomains = ['api/Ingress/CertificateExpiry', 'edge/Delivery/CertificateExpiry'];
/** Not an alarm of CloudWatch, but it tells people. */
const budget = 'observability/Budget';

describe('the runbook', () => {
  it('compared with the alarms of all stages, has one section for each kind, and no other', () => {
    const headings = sections.map(({ heading }) => heading);
    const expected = new Set([...alarms.map(({ heading }) => heading), ...ofDomains, budget]);
    expect(headings.toSorted()).toEqual([...expected].sort());
  });

  it('has a budget in every stage, of what the plan says, as the section about it says', () => {
    const budgets = resourcesOf(stacks, 'AWS::Budgets::Budget');
    expect(budgets.map(({ stack }) => stack.part)).toEqual(budgets.map(() => 'observability'));
    const amounts = budgets.map(({ stack, Properties }) => [
      stack.stage,
      Object(Properties.Budget).BudgetLimit,
    ]);
    expect(Object.fromEntries(amounts)).toEqual(
      Object.fromEntries(
        stages.map(({ name, monthlyBudgetDollars }) => [
          name,
          { Amount: monthlyBudgetDollars, Unit: 'USD' },
        ]),
      ),
    );
  });

  it.each(sections)('of $heading, says what it means, how to look and what to do', ({ text }) => {
    const found = parts.map((part) => text.indexOf(`**${part}**`));
    expect(found).toEqual(found.toSorted((left, right) => left - right));
    for (const [index, part] of parts.entries()) {
      const begin = (found[index] ?? -1) + `**${part}**`.length;
      const advice = text.slice(begin, found[index + 1]).trim();
      expect(found[index], part).toBeGreaterThan(0);
      expect(advice.length, part).toBeGreaterThan(LEAST_CHARACTERS);
    }
  });

  it('of every alarm, is what its description links to, after a sentence of what it means', () => {
    const anchors = new Set(sections.map(({ heading = '' }) => anchorOf(heading)));
    expect(anchors.size).toBe(sections.length);
    for (const { name, description, heading } of alarms) {
      const [meaning, link] = description.split('\nRunbook: ');
      expect(meaning, name).toMatch(/^[A-Z"].{20,}\.$/);
      expect(link, name).toBe(`${RUNBOOK}#${anchorOf(heading)}`);
      expect(anchors, name).toContain(anchorOf(heading));
      // CloudWatch takes 1,024 characters (PutMetricAlarm in its API reference).
      expect(description.length, name).toBeLessThanOrEqual(1_024);
    }
  });

  it('of alarms that it refers to within itself, has a section', () => {
    const known = new Set([...sections.map(({ heading }) => heading)]);
    const references = [
      ...page.matchAll(/`((?:api|data|edge|migrations|observability|workers)\/[\w/-]+)`/g),
    ].map(([, reference]) => reference);
    expect(references.length).toBeGreaterThan(sections.length);
    expect(references.filter((reference) => !known.has(reference))).toEqual([]);
  });
});

describe('the heading of an alarm', () => {
  it.each([
    ['api/Service-user-api/Latency', 'api/Service/Latency'],
    ['workers/Worker-email/Age', 'workers/Worker/Age'],
    ['workers/Schedule-maintenance/Failed', 'workers/Schedule/Failed'],
    ['data/Cache/Shard12-Cpu', 'data/Cache/Cpu'],
    ['api/Ingress/FastBurn/LongWindow', 'api/Ingress/FastBurn'],
    ['data/Database/WriterCpu', 'data/Database/WriterCpu'],
  ])('of %s is %s', (key, heading) => {
    expect(runbookHeading(key)).toBe(heading);
  });

  it('as an anchor, is what Markdown makes of it', () => {
    expect(anchorOf('observability/Page-api')).toBe('observabilitypage-api');
  });
});
