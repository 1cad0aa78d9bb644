import { describe, expect, inject, it } from 'vitest';
import { type ServiceDefinition, services } from '../../lib/config/services.ts';
import { dev } from '../../lib/config/stages/dev.ts';
import { type WorkerDefinition, workers } from '../../lib/config/workers.ts';
import { synthesiseStages } from './support/app.ts';
import { readableTemplate } from './support/readable.ts';
import { readTemplates, resourcesOf, type StackTemplate } from './support/templates.ts';

const [userApi] = services;
const [emailWorker] = workers;
if (userApi === undefined || emailWorker === undefined)
  throw new Error('There is nothing to add to.');

const reports: ServiceDefinition = {
  ...userApi,
  name: 'reports',
  description: 'Reports over HTTP.',
  pathPatterns: ['/reports/*'],
  trafficPercent: 10,
  priority: 200,
  port: 3_100,
};
const audit: WorkerDefinition = {
  ...emailWorker,
  name: 'audit',
  description: 'Writes events down.',
  queueUrlVariable: 'AUDIT_QUEUE_URL',
  sendsEmail: false,
};

/** The list with a second service, which takes its share of the traffic from the first. */
const withReports = [{ ...userApi, trafficPercent: 90 }, reports];

const partOf = (stacks: readonly StackTemplate[], part: string) =>
  stacks.filter((stack) => stack.part === part);
const count = (stacks: readonly StackTemplate[], part: string, type: string) =>
  resourcesOf(partOf(stacks, part), type).length;

/** Lines of `before` that are not in `after`, resource for resource. */
function changedResources(
  before: readonly StackTemplate[],
  after: readonly StackTemplate[],
  part: string,
): string[] {
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
    const before = readTemplates(inject('cloudAssembly')).filter(({ stage }) => stage === 'dev');
    const after = synthesiseStages([dev], { services: withReports }).stacks;
    for (const type of [
      'AWS::ECS::Service',
      'AWS::ECS::TaskDefinition',
      'AWS::ElasticLoadBalancingV2::TargetGroup',
      'AWS::ApplicationAutoScaling::ScalableTarget',
      'AWS::SecretsManager::Secret',
    ]) {
      expect(count(after, 'api', type), type).toBe(2 * count(before, 'api', type));
    }
    const rules = resourcesOf(partOf(after, 'api'), 'AWS::ElasticLoadBalancingV2::ListenerRule');
    expect(rules.map(({ Properties }) => [Properties.Priority, Properties.Conditions])).toEqual(
      [userApi, reports].map(({ priority, pathPatterns }) => [
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
    expect(changedResources(before, after, 'api')).toEqual([]);
  });

  it('in the list of workers, is a worker of its own with its queues, and changes none of the first', () => {
    const before = readTemplates(inject('cloudAssembly')).filter(({ stage }) => stage === 'dev');
    const after = synthesiseStages([dev], { workers: [...workers, audit] }).stacks;
    expect(count(after, 'workers', 'AWS::SQS::Queue')).toBe(4);
    expect(count(after, 'workers', 'AWS::Lambda::EventSourceMapping')).toBe(2);
    expect(changedResources(before, after, 'workers')).toEqual([]);
  });
});
