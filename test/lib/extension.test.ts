import { describe, expect, inject, it } from 'vitest';
import { services } from '../../lib/config/services.ts';
import { alarmsOf } from './monitoring/alarms.ts';
import { readableTemplate } from './support/readable.ts';
import { readTemplates, resourcesOf, type StackTemplate } from './support/templates.ts';
import { extended, reports } from './support/variants.ts';

const before = readTemplates(inject('cloudAssembly')).filter(({ stage }) => stage === 'dev');
const after = readTemplates(inject('variantAssembly')).filter(({ stage }) => stage === 'dev');

const partOf = (stacks: readonly StackTemplate[], part: string) =>
  stacks.filter((stack) => stack.part === part);
const count = (stacks: readonly StackTemplate[], part: string, type: string) =>
  resourcesOf(partOf(stacks, part), type).length;

/** Resources of a stack before that are not, or not the same, after. */
function changedResources(part: string): string[] {
  const [old] = partOf(before, part);
  const [changed] = partOf(after, part);
  return Object.entries(old?.template.Resources ?? {})
    .filter(([id, resource]) => {
      const other = changed?.template.Resources[id];
      const render = (one: typeof resource) =>
        readableTemplate({ Resources: { [id]: one }, Outputs: {} });
      return other === undefined || render(resource) !== render(other);
    })
    .map(([id]) => id);
}

describe('one more entry', () => {
  it('in the list of services, is a service of its own behind its path, and changes none of the first', () => {
    for (const type of [
      'AWS::ECS::Service',
      'AWS::ECS::TaskDefinition',
      'AWS::ElasticLoadBalancingV2::TargetGroup',
      'AWS::ApplicationAutoScaling::ScalableTarget',
      'AWS::SecretsManager::Secret',
    ]) {
      expect(count(after, 'api', type), type).toBe(
        count(before, 'api', type) * (1 + 1 / services.length),
      );
    }
    const rules = resourcesOf(partOf(after, 'api'), 'AWS::ElasticLoadBalancingV2::ListenerRule');
    expect(rules.map(({ Properties }) => [Properties.Priority, Properties.Conditions])).toEqual(
      [...services, reports].map(({ priority, pathPatterns }) => [
        priority,
        [{ Field: 'path-pattern', PathPatternConfig: { Values: pathPatterns } }],
      ]),
    );
    const [distribution] = resourcesOf(partOf(after, 'edge'), 'AWS::CloudFront::Distribution');
    const { CacheBehaviors, DefaultCacheBehavior } = Object(
      distribution?.Properties.DistributionConfig,
    );
    const paths = Object.fromEntries(
      CacheBehaviors.map((behavior: Record<string, unknown>) => [
        behavior.PathPattern,
        behavior.TargetOriginId,
      ]),
    );
    expect(paths['/reports/*']).toBe(paths['/api/*']);
    expect(paths['/reports/*']).not.toBe(DefaultCacheBehavior.TargetOriginId);
    expect(changedResources('api')).toEqual([]);
  });

  it('in the list of services, has the alarms of the first', () => {
    const alarms = (name: string) =>
      alarmsOf(after).flatMap(({ key }) => key.split(`/Service-${name}/`).slice(1));
    expect(alarms('reports').sort()).toEqual(alarms('user-api').sort());
    expect(alarms('reports').length).toBeGreaterThan(5);
  });

  it('in the list of workers, is a worker of its own with its queues, and changes none of the first', () => {
    expect(count(after, 'workers', 'AWS::SQS::Queue')).toBe(2 * extended.workers.length);
    expect(count(after, 'workers', 'AWS::Lambda::EventSourceMapping')).toBe(
      extended.workers.length,
    );
    expect(changedResources('workers')).toEqual([]);
  });
});
