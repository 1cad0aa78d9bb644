import { describe, expect, inject, it } from 'vitest';
import type { StageConfiguration } from '../../lib/config/stage.ts';
import { LOG_WITHOUT_VALUES } from '../../services/local/postgres/server.ts';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';

const stacks = readTemplates(inject('cloudAssembly'));
const ofData = (stage: string, type: string) =>
  resourcesOf(
    stacks.filter((stack) => stack.stage === stage && stack.part === 'data'),
    type,
  ).map(({ Properties }) => Properties);
const cluster = ({ name }: Pick<StageConfiguration, 'name'>) =>
  ofData(name, 'AWS::RDS::DBCluster')[0];

describe('Aurora', () => {
  it.each(stages)('of $name, has a writer and its readers, spread over the zones', (stage) => {
    const { readers } = stage.size.database;
    const zones = ofData(stage.name, 'AWS::RDS::DBInstance').map((one) => one.AvailabilityZone);
    expect(zones).toHaveLength(1 + readers);
    // As many zones as there are instances, until every zone has one.
    expect(new Set(zones).size).toBe(Math.min(1 + readers, stage.availabilityZones.length));
    for (const instance of ofData(stage.name, 'AWS::RDS::DBInstance')) {
      expect(instance.PubliclyAccessible).toBe(false);
    }
  });

  it.each(stages)('of $name, is of the capacity or class that the plan says', (stage) => {
    const { database } = stage.size;
    const classes = new Set(
      ofData(stage.name, 'AWS::RDS::DBInstance').map((one) => one.DBInstanceClass),
    );
    if (database.mode === 'serverless') {
      expect(classes).toEqual(new Set(['db.serverless']));
      expect(cluster(stage)?.ServerlessV2ScalingConfiguration).toEqual({
        MinCapacity: database.minimumCapacityUnits,
        MaxCapacity: database.maximumCapacityUnits,
      });
    } else expect(classes).toEqual(new Set([database.instanceClass]));
  });

  it('of some stage, is serverless, and of another provisioned', () => {
    expect(new Set(stages.map(({ size }) => size.database.mode)).size).toBe(2);
  });

  it.each(stages)('of $name, adds readers by their CPU, up to the plan’s most', (stage) => {
    const { readers, maximumReaders, readerCpuTargetPercent } = stage.size.database;
    const targets = ofData(stage.name, 'AWS::ApplicationAutoScaling::ScalableTarget');
    if (readers === 0 || maximumReaders === readers) {
      expect(targets).toEqual([]);
      return;
    }
    expect(targets).toMatchObject([
      {
        ServiceNamespace: 'rds',
        ScalableDimension: 'rds:cluster:ReadReplicaCount',
        MinCapacity: readers,
        MaxCapacity: maximumReaders,
      },
    ]);
    expect(ofData(stage.name, 'AWS::ApplicationAutoScaling::ScalingPolicy')).toMatchObject([
      {
        PolicyType: 'TargetTrackingScaling',
        TargetTrackingScalingPolicyConfiguration: {
          PredefinedMetricSpecification: {
            PredefinedMetricType: 'RDSReaderAverageCPUUtilization',
          },
          TargetValue: readerCpuTargetPercent,
        },
      },
    ]);
  });

  it('of stages that must be always there, scales its readers', () => {
    const scaled = stages.filter(
      ({ size }) => size.database.maximumReaders > size.database.readers,
    );
    expect(scaled.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['production', 'million']),
    );
  });

  it.each(stages)(
    'of $name, keeps backups, pays for I/O and is looked into as its policy says',
    (stage) => {
      const { database } = stage.size;
      expect(cluster(stage)).toMatchObject({
        BackupRetentionPeriod: stage.policy.retention.databaseBackupDays,
        StorageType: database.ioOptimized ? 'aurora-iopt1' : 'aurora',
        DatabaseInsightsMode: stage.policy.database.insights,
        PerformanceInsightsEnabled: true,
        KmsKeyId: expect.anything(),
        MasterUserSecret: { KmsKeyId: expect.anything() },
        MasterUsername: 'headroom_owner',
      });
    },
  );

  it.each(stages)('of $name, logs statements that take longer than half a second', (stage) => {
    expect(ofData(stage.name, 'AWS::RDS::DBClusterParameterGroup')).toMatchObject([
      { Parameters: { log_min_duration_statement: '500' } },
    ]);
  });

  it.each(stages)('of $name, logs no values of rows and parameters, as here', (stage) => {
    const local = Object.entries(LOG_WITHOUT_VALUES).map(([name, value]) => [name, String(value)]);
    expect(ofData(stage.name, 'AWS::RDS::DBClusterParameterGroup')).toMatchObject([
      { Parameters: Object.fromEntries(local) },
    ]);
  });
});

describe('ElastiCache', () => {
  const groups = (stage: string) => {
    const [cache, sessions] = ofData(stage, 'AWS::ElastiCache::ReplicationGroup');
    return { cache, sessions };
  };
  const policyOf = (stage: string, group: Readonly<Record<string, unknown>> | undefined) => {
    const { Ref } = Object(group?.CacheParameterGroupName);
    const own = resourcesOf(
      stacks.filter((stack) => stack.stage === stage),
      'AWS::ElastiCache::ParameterGroup',
    ).find(({ logicalId }) => logicalId === Ref);
    return Object(own?.Properties.Properties)['maxmemory-policy'];
  };

  it.each(stages)('of $name, evicts from the cache, and never a session', ({ name }) => {
    const { cache, sessions } = groups(name);
    expect(JSON.stringify(sessions?.ReplicationGroupDescription)).toContain('Sessions');
    expect(policyOf(name, cache)).toBe('volatile-lru');
    expect(policyOf(name, sessions)).toBe('noeviction');
  });

  it.each(stages)('of $name, has the nodes, shards and snapshots of the plan', (stage) => {
    const { cache: planned } = stage.size;
    const { cache, sessions } = groups(stage.name);
    expect(cache).toMatchObject({
      Engine: planned.engine,
      CacheNodeType: planned.nodeType,
      NumNodeGroups: planned.shards,
      ReplicasPerNodeGroup: planned.replicas,
      ClusterMode: planned.shards > 1 ? 'enabled' : 'disabled',
      SnapshotRetentionLimit: stage.policy.retention.cacheSnapshotDays,
    });
    expect(sessions).toMatchObject({
      CacheNodeType: planned.sessionNodeType,
      NumNodeGroups: 1,
      ReplicasPerNodeGroup: planned.replicas,
    });
  });

  it('with a replica, fails over to another zone by itself, for cache and sessions', () => {
    const replicated = stages.filter(({ size }) => size.cache.replicas > 0);
    expect(replicated.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['staging', 'production', 'million']),
    );
    for (const { name } of replicated) {
      for (const group of Object.values(groups(name))) {
        expect(group).toMatchObject({ AutomaticFailoverEnabled: true, MultiAZEnabled: true });
      }
    }
  });

  it('of the largest workload, is a cluster of shards, and of the others one server', () => {
    const sharded = stages.filter(({ size }) => size.cache.shards > 1).map(({ name }) => name);
    expect(sharded).toContain('million');
    expect(sharded).not.toContain('dev');
    for (const { name } of stages) {
      const [task] = resourcesOf(
        stacks.filter((stack) => stack.stage === name),
        'AWS::ECS::TaskDefinition',
      );
      const mode = sharded.includes(name) ? 'cluster' : 'single';
      expect(JSON.stringify(task?.Properties)).toContain(`{"Name":"REDIS_MODE","Value":"${mode}"}`);
    }
  });

  it('of every stage, has a user that cannot stop or spy on the server', () => {
    for (const { name } of stages) {
      const [user] = ofData(name, 'AWS::ElastiCache::User');
      expect(user?.AccessString, name).toMatch(/-@admin -@dangerous/);
      expect(user?.UserName, name).not.toBe('default');
    }
  });
});
