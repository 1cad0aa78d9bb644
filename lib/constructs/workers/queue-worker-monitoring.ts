import { Duration } from 'aws-cdk-lib';
import { type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { WorkerDefinition } from '../../config/workers.ts';
import { OperationalAlarm } from '../operations/operational-alarm.ts';
import type { Operations } from '../operations/operations.ts';

const PERIOD = Duration.minutes(1);
/** Minutes with every invocation that the worker may have: shorter, it is only catching up. */
const MAXIMUM_MINUTES = 15;

/** What a dashboard shows of a worker. */
export interface QueueWorkerMetrics {
  /** Of the oldest message that waits, in seconds. */
  readonly age: IMetric;
  /** Messages that wait. */
  readonly waiting: IMetric;
  /** Messages that failed for good. */
  readonly deadLetters: IMetric;
  /** Invocations that failed as a whole, per minute. */
  readonly errors: IMetric;
  /** Invocations that were refused, per minute. */
  readonly throttles: IMetric;
  /** Invocations per minute. */
  readonly invocations: IMetric;
  /** Most invocations at the same time. */
  readonly concurrency: IMetric;
  /** Of 95 % of the invocations, in milliseconds. */
  readonly duration: IMetric;
}

export function queueWorkerMetrics(parts: {
  readonly queue: sqs.Queue;
  readonly deadLetterQueue: sqs.Queue;
  readonly worker: lambda.Function;
}): QueueWorkerMetrics {
  const { queue, deadLetterQueue, worker } = parts;
  const most = { period: PERIOD, statistic: Stats.MAXIMUM };
  const sum = { period: PERIOD, statistic: Stats.SUM };
  return {
    age: queue.metricApproximateAgeOfOldestMessage(most),
    waiting: queue.metricApproximateNumberOfMessagesVisible(most),
    deadLetters: deadLetterQueue.metricApproximateNumberOfMessagesVisible(most),
    errors: worker.metricErrors(sum),
    throttles: worker.metricThrottles(sum),
    invocations: worker.metricInvocations(sum),
    concurrency: worker.metric('ConcurrentExecutions', most),
    duration: worker.metricDuration({ period: PERIOD, statistic: 'p95' }),
  };
}

export function addQueueWorkerAlarms(
  scope: Construct,
  props: {
    readonly operations: Operations;
    readonly definition: WorkerDefinition;
    readonly metrics: QueueWorkerMetrics;
  },
): void {
  const { operations, metrics } = props;
  const { name, maximumConcurrency } = props.definition;
  const { queueAgeSeconds } = operations.stage.alarms;
  new OperationalAlarm(scope, 'DeadLetters', {
    operations,
    severity: 'ticket',
    meaning: `The worker "${name}" has failed a message for good; it waits in the dead-letter queue.`,
    metric: metrics.deadLetters,
    threshold: 0,
    periods: 1,
  });
  new OperationalAlarm(scope, 'Age', {
    operations,
    severity: 'page',
    meaning: `A message for the worker "${name}" has been waiting for more than ${queueAgeSeconds} s: the worker does not keep up, or does not run.`,
    metric: metrics.age,
    threshold: queueAgeSeconds,
    periods: 5,
  });
  new OperationalAlarm(scope, 'Errors', {
    operations,
    severity: 'ticket',
    meaning: `Invocations of the worker "${name}" have failed as a whole for 5 minutes.`,
    metric: metrics.errors,
    threshold: 0,
    periods: 5,
  });
  new OperationalAlarm(scope, 'Throttles', {
    operations,
    severity: 'ticket',
    meaning: `Lambda has refused to run the worker "${name}" for 5 minutes: the account's concurrency is used up.`,
    metric: metrics.throttles,
    threshold: 0,
    periods: 5,
  });
  new OperationalAlarm(scope, 'Concurrency', {
    operations,
    severity: 'ticket',
    meaning: `The worker "${name}" has run all of the ${maximumConcurrency} invocations that it may have at once, for ${MAXIMUM_MINUTES} minutes.`,
    metric: metrics.concurrency,
    threshold: maximumConcurrency,
    goesOff: 'at-or-above',
    periods: MAXIMUM_MINUTES,
  });
}
