import { describe, expect, inject, it } from 'vitest';
import { services } from '../../lib/config/services.ts';
import { workers } from '../../lib/config/workers.ts';
import { stages } from './support/stages.ts';
import { readDeployments, readTemplates, resourcesOf } from './support/templates.ts';

const assembly = inject('cloudAssembly');
const stacks = readTemplates(assembly);
const deployments = readDeployments(assembly);
const resources = (type: string) => resourcesOf(stacks, type);

describe('queues', () => {
  const queues = resources('AWS::SQS::Queue');

  it('of every worker and stage, have a dead-letter queue that takes from them alone', () => {
    const names = queues.map(({ Properties }) => Properties.QueueName);
    const expected = stages.flatMap((stage) =>
      workers.flatMap(({ name }) => [
        `headroom-${stage.name}-${name}`,
        `headroom-${stage.name}-${name}-dead-letter`,
      ]),
    );
    expect(names.sort()).toEqual(expected.sort());
    for (const { place, Properties } of queues) {
      const isDeadLetterQueue = String(Properties.QueueName).endsWith('-dead-letter');
      expect(Properties, place).toMatchObject(
        isDeadLetterQueue
          ? { RedriveAllowPolicy: { redrivePermission: 'byQueue' } }
          : {
              RedriveAllowPolicy: { redrivePermission: 'denyAll' },
              RedrivePolicy: { deadLetterTargetArn: expect.anything() },
            },
      );
    }
  });

  it('of every stage, are encrypted and refuse what comes without TLS', () => {
    const policies = resources('AWS::SQS::QueuePolicy');
    expect(policies).toHaveLength(queues.length);
    for (const { place, Properties } of queues) {
      expect(Properties, place).toHaveProperty('KmsMasterKeyId');
    }
    for (const { place, Properties } of policies) {
      expect(Properties.PolicyDocument, place).toMatchObject({
        Statement: [
          {
            Effect: 'Deny',
            Action: 'sqs:*',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      });
    }
  });
});

describe('functions', () => {
  it.each(resources('AWS::Lambda::EventSourceMapping'))(
    '$place, of a batch in part failed, returns only what failed, and has a limit',
    ({ Properties }) => {
      expect(Properties).toMatchObject({
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: expect.any(Number) },
      });
    },
  );

  it('of workers and migrations, run on ARM', () => {
    const own = resources('AWS::Lambda::Function').filter(
      ({ Properties }) => 'VpcConfig' in Properties,
    );
    expect(own).toHaveLength(stages.length * (workers.length + 1));
    for (const { place, Properties } of own) {
      expect(Properties.Architectures, place).toEqual(['arm64']);
    }
  });
});

describe('migrations', () => {
  it('of every stage, run before the workers and the services change', () => {
    for (const { name } of stages) {
      for (const part of ['workers', 'api']) {
        const deployment = deployments.get(`headroom-${name}-${part}`);
        expect(deployment?.dependencies, part).toContain(`headroom-${name}-migrations`);
      }
    }
  });
});

describe('services', () => {
  it.each(resources('AWS::ECS::Service'))(
    '$place, in its stage, scales and deploys safely',
    ({ Properties }) => {
      expect(Properties).not.toHaveProperty('DesiredCount');
      expect(Properties).toMatchObject({
        DeploymentConfiguration: {
          MinimumHealthyPercent: 100,
          DeploymentCircuitBreaker: { Enable: true, Rollback: true },
          Alarms: { Enable: true, Rollback: true, AlarmNames: [expect.any(String)] },
        },
        NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
      });
    },
  );

  it('of every stage, scale between the stage’s bounds', () => {
    const targets = resources('AWS::ApplicationAutoScaling::ScalableTarget');
    expect(targets).toHaveLength(stages.length * services.length);
    for (const { stack, place, Properties } of targets) {
      const stage = stages.find(({ name }) => name === stack.stage);
      expect(Properties, place).toMatchObject({
        MinCapacity: stage?.size.service.minimumTasks,
        MaxCapacity: stage?.size.service.maximumTasks,
      });
    }
    expect(resources('AWS::ApplicationAutoScaling::ScalingPolicy')).toHaveLength(
      2 * targets.length,
    );
  });

  it('of every stage, roll back on an alarm that exists', () => {
    const alarms = resources('AWS::CloudWatch::Alarm').map(
      ({ Properties }) => Properties.AlarmName,
    );
    for (const { Properties } of resources('AWS::ECS::Service')) {
      expect(Properties.DeploymentConfiguration).toMatchObject({
        Alarms: { AlarmNames: [expect.toSatisfy((name: string) => alarms.includes(name))] },
      });
    }
  });

  it.each(resources('AWS::ECS::TaskDefinition'))(
    '$place, in its stage, runs on ARM, as nobody, and writes nothing',
    ({ Properties }) => {
      expect(Properties).toMatchObject({
        RuntimePlatform: { CpuArchitecture: 'ARM64' },
        ContainerDefinitions: [
          {
            User: '65532:65532',
            ReadonlyRootFilesystem: true,
            LinuxParameters: { InitProcessEnabled: true },
            HealthCheck: { Command: expect.arrayContaining(['CMD', 'node']) },
          },
        ],
      });
    },
  );
});

describe('CloudFront', () => {
  it.each(resources('AWS::WAFv2::WebACL'))(
    '$place, of what its rules find, lets nothing pass',
    ({ Properties }) => {
      expect(Properties.Rules).toEqual([
        expect.objectContaining({ Name: 'RequestsPerAddress', Action: { Block: {} } }),
        ...['AmazonIpReputationList', 'CommonRuleSet', 'KnownBadInputsRuleSet', 'SQLiRuleSet'].map(
          (group) =>
            expect.objectContaining({
              Name: `AWSManagedRules${group}`,
              // Each rule of the group keeps its own action, which is to block.
              OverrideAction: { None: {} },
            }),
        ),
      ]);
    },
  );

  it.each(resources('AWS::CloudFront::Distribution'))(
    '$place, in its stage, has a firewall and only HTTPS',
    ({ Properties }) => {
      expect(Properties).toMatchObject({
        DistributionConfig: {
          WebACLId: expect.anything(),
          HttpVersion: 'http2and3',
          DefaultCacheBehavior: { ViewerProtocolPolicy: 'redirect-to-https' },
          CacheBehaviors: [{ PathPattern: '/api/*', ViewerProtocolPolicy: 'redirect-to-https' }],
        },
      });
    },
  );

  it('in every stage, is in the region that its firewall and its metrics need', () => {
    const distributions = resources('AWS::CloudFront::Distribution');
    expect(distributions).toHaveLength(stages.length);
    for (const { stack } of distributions) {
      expect(deployments.get(stack.name)?.region).toBe('us-east-1');
    }
  });
});

describe('the bucket of static files', () => {
  it.each(resources('AWS::S3::Bucket'))('$place, in its stage, is private', ({ Properties }) => {
    expect(Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
  });
});
