import { describe, expect, inject, it } from 'vitest';
import { readTemplates, resourcesOf } from './support/templates.ts';
import { loadTest } from './support/variants.ts';

const stacks = readTemplates(inject('variantAssembly')).filter(({ name }) =>
  name.startsWith(`headroom-${loadTest.name}-`),
);

describe('a stage that is new', () => {
  it('with nothing but its definition, has every stack, and its own names and sizes', () => {
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
});
