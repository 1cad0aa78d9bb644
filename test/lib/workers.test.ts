import { describe, expect, inject, it } from 'vitest';
import { scheduledFunctions } from '../../lib/config/schedules.ts';
import { workers } from '../../lib/config/workers.ts';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';

const stacks = readTemplates(inject('cloudAssembly'));
const variants = readTemplates(inject('variantAssembly'));
const ofWorkers = (stage: string, type: string) =>
  resourcesOf(
    stacks.filter((stack) => stack.stage === stage && stack.part === 'workers'),
    type,
  );

describe('workers', () => {
  it.each(stages)('of $name, have the limits of their definition and of the plan', (stage) => {
    const queues = ofWorkers(stage.name, 'AWS::SQS::Queue');
    const sources = ofWorkers(stage.name, 'AWS::Lambda::EventSourceMapping');
    for (const worker of workers) {
      const queue = queues.find(
        ({ Properties }) => Properties.QueueName === `headroom-${stage.name}-${worker.name}`,
      );
      expect(queue?.Properties).toMatchObject({
        VisibilityTimeout: worker.visibilityTimeoutSeconds,
        MessageRetentionPeriod: worker.retentionSeconds,
        RedrivePolicy: { maxReceiveCount: worker.maximumReceiveCount },
      });
      const source = sources.find(({ Properties }) =>
        JSON.stringify(Properties.EventSourceArn).includes(queue?.logicalId ?? 'none'),
      );
      expect(source?.Properties).toMatchObject({
        BatchSize: worker.batchSize,
        ScalingConfig: { MaximumConcurrency: stage.size.workerConcurrency[worker.name] },
      });
    }
  });

  it.each(stages)(
    'of $name, are functions on Node.js 24 with the memory and time they need',
    (stage) => {
      const functions = ofWorkers(stage.name, 'AWS::Lambda::Function').filter(
        ({ Properties }) => 'VpcConfig' in Properties,
      );
      const sizes = functions.map(({ Properties }) => [
        Properties.Runtime,
        Properties.MemorySize,
        Properties.Timeout,
      ]);
      const expected = [...workers, ...scheduledFunctions].map((one) => [
        'nodejs24.x',
        one.memoryMebibytes,
        one.timeoutSeconds,
      ]);
      expect(sizes.sort()).toEqual(expected.sort());
    },
  );

  it.each(stages)('of $name, send email from the stage’s domain, over TLS', (stage) => {
    const [identity] = ofWorkers(stage.name, 'AWS::SES::EmailIdentity');
    expect(identity?.Properties.EmailIdentity).toBe(stage.email.domain);
    const [set] = ofWorkers(stage.name, 'AWS::SES::ConfigurationSet');
    expect(set?.Properties).toMatchObject({ DeliveryOptions: { TlsPolicy: 'REQUIRE' } });
  });
});

describe('schedules', () => {
  it.each(stages)(
    'of $name, invoke each function in its time, and give up on old events',
    (stage) => {
      const schedules = ofWorkers(stage.name, 'AWS::Scheduler::Schedule');
      const invokes = ofWorkers(stage.name, 'AWS::Lambda::EventInvokeConfig');
      expect(schedules).toHaveLength(scheduledFunctions.length);
      for (const [index, definition] of scheduledFunctions.entries()) {
        const { everyMinutes, retries, maximumAgeSeconds } = definition;
        const rate = everyMinutes % 60 === 0 ? everyMinutes / 60 : everyMinutes;
        const unit = everyMinutes % 60 === 0 ? 'hour' : 'minute';
        expect(schedules[index]?.Properties).toMatchObject({
          ScheduleExpression: `rate(${rate} ${unit}${rate === 1 ? '' : 's'})`,
          Target: {
            RetryPolicy: {
              MaximumEventAgeInSeconds: maximumAgeSeconds,
              MaximumRetryAttempts: retries,
            },
          },
        });
        expect(invokes[index]?.Properties).toMatchObject({
          MaximumEventAgeInSeconds: maximumAgeSeconds,
          MaximumRetryAttempts: retries,
        });
      }
    },
  );

  it('in every stage, run one at a time', () => {
    for (const { name } of stages) {
      const own = ofWorkers(name, 'AWS::Lambda::Function').filter(({ logicalId }) =>
        logicalId.startsWith('Schedule'),
      );
      expect(own.map(({ Properties }) => Properties.ReservedConcurrentExecutions)).toEqual(
        scheduledFunctions.map(() => 1),
      );
    }
  });
});

describe('people', () => {
  it('of both severities, are told by topics that are encrypted and take only TLS', () => {
    for (const { name } of stages) {
      const own = stacks.filter(({ stage, part }) => stage === name && part === 'foundation');
      const topics = resourcesOf(own, 'AWS::SNS::Topic');
      expect(topics).toHaveLength(2);
      for (const { place, Properties } of topics) {
        expect(Properties, place).toHaveProperty('KmsMasterKeyId');
      }
      const policies = JSON.stringify(
        resourcesOf(own, 'AWS::SNS::TopicPolicy').map(({ Properties }) => Properties),
      );
      expect(policies.match(/"aws:SecureTransport":"false"/g)).toHaveLength(2);
    }
  });

  it('named by a stage, are notified of what is of their severity', () => {
    const own = variants.filter(({ name }) => name === 'headroom-choices-foundation');
    const told = resourcesOf(own, 'AWS::SNS::Subscription').map(({ Properties }) => [
      JSON.stringify(Properties.TopicArn).match(/Operations(Page|Ticket)/)?.[1],
      Properties.Endpoint,
    ]);
    expect(told).toEqual([
      ['Page', 'on-call@example.com'],
      ['Ticket', 'team@example.com'],
    ]);
  });
});
