import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf, type StackResource } from './support/templates.ts';

/**
 * What holds data, and the properties of it that CloudFormation can only change by making another, empty one ("Update requires:
 * Replacement" in https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html).
 */
const replacedBy: Readonly<Record<string, readonly string[]>> = {
  'AWS::RDS::DBCluster': [
    'AvailabilityZones',
    'ClusterScalabilityType',
    'DatabaseName',
    'DBClusterIdentifier',
    'DBSubnetGroupName',
    'DBSystemId',
    'Engine',
    'EngineMode',
    'KmsKeyId',
    'MasterUsername',
    'PubliclyAccessible',
    'RestoreToTime',
    'RestoreType',
    'SnapshotIdentifier',
    'SourceDBClusterIdentifier',
    'StorageEncrypted',
  ],
  'AWS::ElastiCache::ReplicationGroup': [
    'AtRestEncryptionEnabled',
    'CacheSubnetGroupName',
    'DataTieringEnabled',
    'GlobalReplicationGroupId',
    'KmsKeyId',
    'NetworkType',
    'Port',
    'PreferredCacheClusterAZs',
    'ReplicationGroupId',
    'SnapshotArns',
    'SnapshotName',
    'TransitEncryptionEnabled',
  ],
  'AWS::S3::Bucket': ['BucketName', 'BucketNamePrefix'],
  'AWS::KMS::Key': ['KeySpec', 'KeyUsage', 'MultiRegion', 'Origin'],
  'AWS::SecretsManager::Secret': ['Name'],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
  'AWS::SES::EmailIdentity': ['EmailIdentity'],
};

const resources = Object.keys(replacedBy).flatMap((type) =>
  resourcesOf(readTemplates(inject('cloudAssembly')), type),
);

/** What may not change: where it is, what it is, and what would replace it. */
function pinned({ Type, Properties }: StackResource) {
  const kept = (replacedBy[Type] ?? []).filter((name) => name in Properties);
  return { type: Type, ...Object.fromEntries(kept.map((name) => [name, Properties[name]])) };
}

const LIST = join(import.meta.dirname, 'stateful-resources.json');
const list: ReadonlyMap<string, unknown> = new Map(
  Object.entries(JSON.parse(readFileSync(LIST, 'utf8'))),
);

describe('what holds data', () => {
  const found = new Map(resources.map((resource) => [resource.place, pinned(resource)]));

  it('of the committed list, is in every stage as it was, so that no deployment replaces it', () => {
    // Do not edit the list to make this pass where a stage has been deployed: CloudFormation would make an empty one beside the old.
    // Keep the logical id and the properties, or move the data first (docs/infrastructure.md).
    expect(list.size).toBeGreaterThan(0);
    for (const [place, kept] of list) expect(found.get(place), place).toEqual(kept);
  });

  it('in every stage, is in the committed list, to which npm run test:update adds what is new', async () => {
    // What is in the list stays as it is there, whatever was found: see the test above.
    const complete = Object.fromEntries(
      [...new Map([...found, ...list])].sort(([left], [right]) => (left < right ? -1 : 1)),
    );
    await expect(`${JSON.stringify(complete, undefined, 2)}\n`).toMatchFileSnapshot(LIST);
  });

  it('in a protected stage, outlives its stack, or leaves a snapshot', () => {
    const kept = stages.filter(({ protection }) => protection === 'protected');
    const held = resources.filter(({ stack }) => kept.some(({ name }) => name === stack.stage));
    expect(held.length).toBeGreaterThan(0);
    for (const { place, Type, DeletionPolicy, UpdateReplacePolicy } of held) {
      // The name stays with its owners, who make the identity again.
      if (Type === 'AWS::SES::EmailIdentity') continue;
      expect(DeletionPolicy, place).toMatch(/^(Retain|Snapshot)$/);
      expect(UpdateReplacePolicy, place).toMatch(/^(Retain|Snapshot)$/);
    }
  });

  it('of people or of what was paid for, in any stage, is not thrown away', () => {
    const types = ['AWS::RDS::DBCluster', 'AWS::ElastiCache::ReplicationGroup', 'AWS::S3::Bucket'];
    for (const { place, Type, DeletionPolicy } of resources) {
      if (types.includes(Type)) expect(DeletionPolicy, place).toMatch(/^(Retain|Snapshot)$/);
    }
  });
});
