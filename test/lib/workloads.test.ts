import { describe, expect, inject, it } from 'vitest';
import { sizeOfService } from '../../lib/capacity/load/service-share.ts';
import { scheduledFunctions } from '../../lib/config/schedules.ts';
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

  it('of workers, schedules and migrations, run on ARM', () => {
    const own = resources('AWS::Lambda::Function').filter(
      ({ Properties }) => 'VpcConfig' in Properties,
    );
    expect(own).toHaveLength(stages.length * (workers.length + scheduledFunctions.length + 1));
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

  const scaling = (stage: string, type: string) =>
    resources(`AWS::ApplicationAutoScaling::${type}`).filter(
      ({ stack }) => stack.stage === stage && stack.part === 'api',
    );

  it.each(stages)('of $name, scale between its bounds, and before its events', (stage) => {
    const targets = scaling(stage.name, 'ScalableTarget');
    expect(targets).toHaveLength(services.length);
    for (const [index, definition] of services.entries()) {
      const service = sizeOfService(stage.size.service, definition);
      const target = targets[index];
      expect(target?.Properties).toMatchObject({
        MinCapacity: service.minimumTasks,
        MaxCapacity: service.maximumTasks,
      });
      const actions = service.events.flatMap((event) => [
        {
          Schedule: `at(${event.from.slice(0, 19)})`,
          ScalableTargetAction: { MinCapacity: event.minimumTasks },
        },
        {
          Schedule: `at(${event.until.slice(0, 19)})`,
          ScalableTargetAction: { MinCapacity: service.minimumTasks },
        },
      ]);
      expect(target?.Properties.ScheduledActions ?? []).toMatchObject(actions);
    }
  });

  it.each(stages)('of $name, scale by requests and by CPU, in the way that it chooses', (stage) => {
    const { service } = stage.size;
    const policies = scaling(stage.name, 'ScalingPolicy').map(({ Properties }) => Properties);
    const target = (metric: string, value: number) => ({
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        PredefinedMetricSpecification: { PredefinedMetricType: metric },
        TargetValue: value,
      },
    });
    const step = (tasks: number) => ({
      PolicyType: 'StepScaling',
      StepScalingPolicyConfiguration: {
        AdjustmentType: 'ChangeInCapacity',
        Cooldown: 300,
        StepAdjustments: [{ ScalingAdjustment: tasks }],
      },
    });
    const requests = target('ALBRequestCountPerTarget', service.requestsPerTaskPerMinute);
    const expected = service.stepScaling
      ? [requests, step(3), step(-1)]
      : [requests, target('ECSServiceAverageCPUUtilization', service.cpuTargetPercent)];
    expect(policies).toMatchObject(services.flatMap(() => expected));
  });

  it('that scale in steps, step out after 5 minutes over 70 % and in after 15 below 30 %', () => {
    const [stage] = stages.filter(({ size }) => size.service.stepScaling);
    const alarm = (id: string) =>
      resources('AWS::CloudWatch::Alarm').find(
        ({ Properties }) =>
          Properties.AlarmName === `headroom-${stage?.name}-api/Service-user-api/${id}`,
      )?.Properties;
    const each = { Namespace: 'AWS/ECS', MetricName: 'CPUUtilization', Period: 60 };
    expect(alarm('ScaleOut')).toMatchObject({
      ...each,
      Threshold: 70,
      ComparisonOperator: 'GreaterThanThreshold',
      EvaluationPeriods: 5,
      DatapointsToAlarm: 5,
    });
    expect(alarm('ScaleIn')).toMatchObject({
      ...each,
      Threshold: 30,
      ComparisonOperator: 'LessThanThreshold',
      EvaluationPeriods: 15,
      DatapointsToAlarm: 15,
    });
  });

  it('of every stage, run the smallest number of tasks on capacity that is not taken back', () => {
    for (const { stack, place, Properties } of resources('AWS::ECS::Service')) {
      const stage = stages.find(({ name }) => name === stack.stage);
      const definition = services.find(({ name }) => place.includes(name.replaceAll('-', '')));
      if (stage === undefined || definition === undefined) throw new Error(place);
      const service = sizeOfService(stage.size.service, definition);
      const spot = service.spotPercent;
      expect(Properties.CapacityProviderStrategy, place).toEqual([
        { CapacityProvider: 'FARGATE', Base: service.minimumTasks, Weight: 100 - spot },
        ...(spot === 0 ? [] : [{ CapacityProvider: 'FARGATE_SPOT', Weight: spot }]),
      ]);
    }
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
