import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { readStageAssembly, type StageAssembly } from '../../lib/architecture/assembly.ts';
import { pictureGraph } from '../../lib/architecture/graph.ts';
import { drawStage, PICTURED_STAGE } from '../../lib/architecture/picture.ts';
import { pictureSvg } from '../../lib/architecture/svg.ts';
import { services } from '../../lib/config/services.ts';
import { workers } from '../../lib/config/workers.ts';
import { repositoryRoot } from './support/synthesise.ts';

const directory = inject('cloudAssembly');
const assembly = readStageAssembly(directory, PICTURED_STAGE);
const graph = pictureGraph(assembly);
const arrows = ({ edges }: typeof graph) => edges.map(({ from, to }) => `${from} → ${to}`);

describe('the picture of the architecture', () => {
  it('compared with the templates, is up to date; if not, npm run picture draws it', async () => {
    const file = join(repositoryRoot, 'docs/architecture.svg');
    expect(readFileSync(file, 'utf8')).toBe(await drawStage(directory));
  });

  it('of every service and worker, has a box', () => {
    const ids = graph.nodes.map(({ id }) => id);
    for (const { name } of services) expect(ids).toContain(`api/Service-${name}`);
    for (const { name } of workers) expect(ids).toContain(`workers/Worker-${name}`);
  });

  it('of the way of a request, has its arrows in order', () => {
    expect(arrows(graph)).toEqual(
      expect.arrayContaining([
        'clients → edge/Firewall',
        'edge/Firewall → edge/Delivery',
        'edge/Delivery → api/Ingress',
        'api/Ingress → api/Service-user-api',
        'api/Service-user-api → data/Cache',
        'api/Service-user-api → data/Database',
        'api/Service-user-api → workers/Worker-email',
        'workers/Worker-email → workers/EmailSender',
      ]),
    );
  });

  it('of templates in which the service knows no queue, has no arrow to the worker', () => {
    const without: StageAssembly = {
      ...assembly,
      resources: assembly.resources.map((one) =>
        one.type === 'AWS::ECS::TaskDefinition'
          ? { ...one, properties: withoutVariable(one.properties, 'EMAIL_QUEUE_URL') }
          : one,
      ),
    };
    const arrow = 'api/Service-user-api → workers/Worker-email';
    expect(arrows(graph)).toContain(arrow);
    expect(arrows(pictureGraph(without))).not.toContain(arrow);
  });

  it('of templates with a service of AWS that it does not know, is refused with its name', () => {
    const [first] = assembly.resources;
    if (first === undefined) throw new Error('There is no resource.');
    const strange = { ...first, type: 'AWS::DynamoDB::Table' };
    expect(() =>
      pictureGraph({ ...assembly, resources: [...assembly.resources, strange] }),
    ).toThrow(
      'does not know AWS::DynamoDB::Table. Say in lib/architecture/kinds.ts how to draw it',
    );
  });

  it('with text that has meaning in SVG, shows it as text', async () => {
    const [first, ...others] = graph.nodes;
    if (first === undefined) throw new Error('There is no box.');
    const svg = await pictureSvg(
      { ...graph, nodes: [{ ...first, title: 'a < b & c' }, ...others] },
      'Title',
    );
    expect(svg).toContain('a &lt; b &amp; c');
  });
});

/** Properties of a task definition in which no container has the variable `name`. */
function withoutVariable(
  properties: Readonly<Record<string, unknown>>,
  name: string,
): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(properties, (_key, value: unknown) =>
    Array.isArray(value) ? value.filter((item) => Object(item).Name !== name) : value,
  );
  return JSON.parse(text);
}
