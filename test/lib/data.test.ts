import { describe, expect, inject, it } from 'vitest';
import { stages } from './support/stages.ts';
import { readDeployments, readTemplates, resourcesOf } from './support/templates.ts';

const assembly = inject('cloudAssembly');
const stacks = readTemplates(assembly);
const resources = (type: string) => resourcesOf(stacks, type);
const protectedStages = stages
  .filter(({ protection }) => protection === 'protected')
  .map(({ name }) => name);

/** What holds data that cannot be made again, and what becomes of it when it is removed or replaced. */
const statefulTypes: Readonly<Record<string, 'Retain' | 'Snapshot'>> = {
  'AWS::RDS::DBCluster': 'Snapshot',
  'AWS::ElastiCache::ReplicationGroup': 'Snapshot',
  'AWS::S3::Bucket': 'Retain',
};

describe('data', () => {
  it.each(Object.entries(statefulTypes))('in %s, when removed, is kept: %s', (type, policy) => {
    const holders = resources(type);
    expect(holders.length).toBeGreaterThanOrEqual(stages.length);
    for (const holder of holders) {
      expect(holder, holder.place).toMatchObject({
        DeletionPolicy: policy,
        UpdateReplacePolicy: policy,
      });
    }
  });

  it('under its key, when the key’s stack is removed, can still be read', () => {
    const keys = resources('AWS::KMS::Key').filter(({ stack }) => stack.part === 'data');
    expect(keys).toHaveLength(stages.length);
    for (const key of keys) {
      expect(key, key.place).toMatchObject({ DeletionPolicy: 'Retain' });
      expect(key.Properties.EnableKeyRotation, key.place).toBe(true);
    }
  });
});

describe('Aurora', () => {
  it.each(resources('AWS::RDS::DBCluster'))(
    '$place, in its stage, is encrypted, logged in to by token, and backed up',
    ({ Properties }) => {
      expect(Properties).toMatchObject({
        StorageEncrypted: true,
        EnableIAMDatabaseAuthentication: true,
        ManageMasterUserPassword: true,
        BackupRetentionPeriod: expect.any(Number),
        EnableCloudwatchLogsExports: ['postgresql'],
      });
      expect(Properties).not.toHaveProperty('MasterUserPassword');
    },
  );

  it('in every stage, takes no connection without TLS', () => {
    const groups = resources('AWS::RDS::DBClusterParameterGroup');
    expect(groups).toHaveLength(stages.length);
    for (const { place, Properties } of groups) {
      expect(Properties, place).toMatchObject({ Parameters: { 'rds.force_ssl': '1' } });
    }
  });

  it('in a protected stage, cannot be deleted', () => {
    const clusters = resources('AWS::RDS::DBCluster');
    const refusing = clusters.filter(({ Properties }) => Properties.DeletionProtection === true);
    expect(refusing.map(({ stack }) => stack.stage).sort()).toEqual(protectedStages.toSorted());
  });
});

describe('ElastiCache', () => {
  it.each(resources('AWS::ElastiCache::ReplicationGroup'))(
    '$place, in its stage, is encrypted, takes only TLS, and has users',
    ({ Properties }) => {
      expect(Properties).toMatchObject({
        TransitEncryptionEnabled: true,
        TransitEncryptionMode: 'required',
        AtRestEncryptionEnabled: true,
        KmsKeyId: expect.anything(),
        UserGroupIds: [expect.anything()],
      });
    },
  );

  it('in a protected stage, fails over to another zone by itself', () => {
    for (const stage of protectedStages) {
      const [group] = resources('AWS::ElastiCache::ReplicationGroup').filter(
        ({ stack }) => stack.stage === stage,
      );
      expect(group?.Properties).toMatchObject({
        AutomaticFailoverEnabled: true,
        MultiAZEnabled: true,
      });
    }
  });
});

describe('stacks', () => {
  it('of a protected stage, cannot be deleted, and those of the others can', () => {
    const deployments = readDeployments(assembly);
    for (const { name, stage } of stacks) {
      const kept = deployments.get(name)?.terminationProtection;
      expect(kept, name).toBe(protectedStages.includes(stage));
    }
  });
});

describe('logs', () => {
  it('of every stage, are encrypted and kept for as long as the stage says', () => {
    const days = new Map(stages.map(({ name, logRetentionDays }) => [name, logRetentionDays]));
    const groups = resources('AWS::Logs::LogGroup');
    expect(groups.length).toBeGreaterThan(0);
    for (const { place, stack, Properties } of groups) {
      expect(Properties.RetentionInDays, place).toBe(days.get(stack.stage));
      expect(Properties, place).toHaveProperty('KmsKeyId');
    }
  });

  it('of every function, the CDK’s own included, go to a group of the template', () => {
    const functions = resources('AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThan(0);
    for (const { place, Properties } of functions) {
      expect(Properties, place).toMatchObject({ LoggingConfig: { LogGroup: expect.anything() } });
    }
  });
});
