import { describe, expect, it } from 'vitest';
import type { StageDefinition } from '../../lib/config/stage.ts';
import { million } from '../../lib/config/stages/million.ts';
import { production } from '../../lib/config/stages/production.ts';
import { workers } from '../../lib/config/workers.ts';
import { synthesiseStages } from './support/app.ts';
import { resourcesOf } from './support/templates.ts';

/** What somebody writes who needs a stage for load tests: production's workload and policy, with what differs. */
const loadTest: StageDefinition = {
  ...production,
  name: 'load-test',
  availabilityZones: ['a', 'b'],
  policy: {
    ...production.policy,
    availabilityPercent: 99,
    protection: 'disposable',
    events: [],
    network: { ...production.policy.network, addressRange: '10.9.0.0/16', natGateways: 'one' },
  },
};

describe('a stage that is new', () => {
  it('with nothing but its definition, has every stack, and its own names and sizes', () => {
    const { stacks } = synthesiseStages([loadTest]);
    expect(stacks.map(({ name }) => name).sort()).toEqual([
      'headroom-load-test-api',
      'headroom-load-test-data',
      'headroom-load-test-edge',
      'headroom-load-test-edge-foundation',
      'headroom-load-test-foundation',
      'headroom-load-test-migrations',
      'headroom-load-test-network',
      'headroom-load-test-observability',
      'headroom-load-test-workers',
    ]);
    expect(resourcesOf(stacks, 'AWS::EC2::NatGateway')).toHaveLength(1);
    expect(resourcesOf(stacks, 'AWS::EC2::Subnet')).toHaveLength(6);
    const [cluster] = resourcesOf(stacks, 'AWS::RDS::DBCluster');
    expect(cluster?.Properties).toMatchObject({ DeletionProtection: false });
  });

  it('with a worker for which the database has no connections left, is refused', () => {
    const [worker] = workers;
    if (worker === undefined) throw new Error('There is no worker.');
    const { demand: _, ...second } = worker;
    const busy = {
      ...second,
      name: 'second',
      queueUrlVariable: 'SECOND_QUEUE_URL',
      maximumConcurrency: 1_000,
    };
    expect(() => synthesiseStages([million], { workers: [worker, busy] })).toThrow(
      /Stage "million" may need \d+ PostgreSQL connections \(243 tasks .* \+ 1\d\d\d for workers/,
    );
  });
});
