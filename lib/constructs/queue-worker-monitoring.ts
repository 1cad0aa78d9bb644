import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { OperationalAlarm } from './operational-alarm.ts';
import type { Operations } from './operations.ts';

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
}

export function addQueueWorkerAlarms(
  scope: Construct,
  props: {
    readonly operations: Operations;
    readonly name: string;
    readonly metrics: QueueWorkerMetrics;
  },
): void {
  const { operations, name, metrics } = props;
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
}
