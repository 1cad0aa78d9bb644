import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { subsystems } from '../../lib/constructs/operations/subsystem.ts';
import { metricCatalogue } from './monitoring/metric-catalogue.ts';
import { namesIn } from './monitoring/metric-math.ts';
import { readable } from './support/readable.ts';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';

/** Options that a metric in a graph may end with. */
const options = z.looseObject({
  expression: z.string().optional(),
  id: z.string().optional(),
  stat: z.string().optional(),
  period: z.number().optional(),
  region: z.string().optional(),
  visible: z.boolean().optional(),
});
const widget = z.looseObject({
  type: z.enum(['metric', 'text', 'alarm']),
  width: z.number(),
  x: z.number(),
  properties: z.looseObject({
    title: z.string().optional(),
    markdown: z.string().optional(),
    alarms: z.array(z.string()).optional(),
    metrics: z.array(z.array(z.union([z.string(), options]))).optional(),
    yAxis: z.looseObject({ left: z.looseObject({ label: z.string() }) }).optional(),
  }),
});
const body = z.object({ widgets: z.array(widget) });

/** The body with its references to resources as text: JSON that CloudFormation puts together. */
function bodyOf(value: unknown): z.output<typeof body> {
  const text = readable(value);
  return body.parse(
    typeof text === 'object' && text !== null && 'as JSON' in text
      ? text['as JSON']
      : JSON.parse(String(text)),
  );
}

const dashboards = resourcesOf(
  readTemplates(inject('cloudAssembly')),
  'AWS::CloudWatch::Dashboard',
).map(({ stack, Properties }) => ({
  stage: stack.stage,
  name: String(Properties.DashboardName),
  widgets: bodyOf(Properties.DashboardBody).widgets,
}));

/** A graph's metrics as CloudWatch writes them: namespace, name, pairs of dimensions, options. */
function metricsOf({ properties }: z.output<typeof widget>) {
  return (properties.metrics ?? []).flatMap((entry) => {
    const last = entry.at(-1);
    const given = typeof last === 'object' ? last : {};
    const [namespace, name, ...pairs] = entry.filter((part) => typeof part === 'string');
    if (namespace === undefined || name === undefined) return [];
    return [{ namespace, name, dimensions: pairs.filter((_, index) => index % 2 === 0), ...given }];
  });
}

describe('the dashboards', () => {
  it.each(stages)('of $name, are one to glance at and one for each subsystem', ({ name }) => {
    const names = dashboards.filter(({ stage }) => stage === name).map((one) => one.name);
    const expected = [`headroom-${name}`, ...subsystems.map((part) => `headroom-${name}-${part}`)];
    expect(names.sort()).toEqual(expected.sort());
  });

  it.each(dashboards)(
    '$name, of every metric, has one that AWS documents, by a statistic that means something',
    ({ widgets }) => {
      const metrics = widgets.flatMap(metricsOf);
      expect(metrics.length).toBeGreaterThan(5);
      for (const { namespace, name, dimensions, stat = 'Average' } of metrics) {
        const documented = metricCatalogue[namespace]?.metrics[name];
        expect(documented, `${namespace} ${name} is not documented`).toBeDefined();
        expect(documented?.statistics, name).toContain(stat);
        expect(documented?.dimensions.map((set) => [...set].sort())).toContainEqual(
          dimensions.sort(),
        );
      }
    },
  );

  it.each(dashboards)('$name, of every expression, uses what its graph has', ({ widgets }) => {
    for (const { properties } of widgets) {
      const entries = (properties.metrics ?? []).map((entry) => options.parse(entry.at(-1)));
      const ids = entries.flatMap(({ id }) => (id === undefined ? [] : [id]));
      expect(new Set(ids).size, properties.title).toBe(ids.length);
      for (const { expression } of entries) {
        for (const used of namesIn(expression ?? '')) expect(ids, properties.title).toContain(used);
      }
    }
  });

  it.each(dashboards)(
    '$name, of every graph, says its unit, and explains itself in text',
    ({ widgets }) => {
      const graphs = widgets.filter(({ type }) => type === 'metric');
      for (const { properties } of graphs) {
        expect(properties.title).toMatch(/^[A-Z]/);
        expect(properties.yAxis?.left.label, properties.title).not.toBe('');
      }
      // Beside headings, a text of some sentences.
      const notes = widgets.filter(({ properties }) => (properties.markdown ?? '').length > 100);
      expect(notes.length).toBeGreaterThan(0);
      for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
    },
  );

  it.each(stages)('of $name to glance at, begins with what pages, in both regions', (stage) => {
    const glance = dashboards.find(({ name }) => name === `headroom-${stage.name}`);
    const [first] = glance?.widgets ?? [];
    expect(first?.type).toBe('alarm');
    const names = first?.properties.alarms?.map((arn) =>
      arn.replace(/^arn:[^:]+:cloudwatch:([\w-]+):\$\{AWS::AccountId\}:alarm:/, '$1 '),
    );
    expect(names).toEqual([
      `us-east-1 headroom-${stage.name}-edge/Page`,
      ...['api', 'database', 'cache', 'workers'].map(
        (part) => `${stage.region} headroom-${stage.name}-observability/Page-${part}`,
      ),
    ]);
  });

  it('of every stage, show metrics of CloudFront and its firewall from the one region that has them', () => {
    const metrics = dashboards.flatMap(({ widgets }) => widgets.flatMap(metricsOf));
    const edge = metrics.filter(({ namespace }) => /CloudFront|WAF/.test(namespace));
    expect(edge.length).toBeGreaterThan(0);
    expect(new Set(edge.map(({ region }) => region))).toEqual(new Set(['us-east-1']));
  });
});
