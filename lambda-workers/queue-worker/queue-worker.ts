import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import type { BasePersistenceLayer } from '@aws-lambda-powertools/idempotency/persistence';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Tracer } from '../../services/contracts/tracing/span.ts';
import type { Logger } from '../observability/logger.ts';
import { inMessageTrace } from '../observability/message-trace.ts';

/** The handler of a Lambda function that is fed from a queue. */
export type QueueWorker = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/** What every queue worker needs. */
export interface QueueWorkerDependencies {
  /** Records of the handled events. */
  readonly idempotency: BasePersistenceLayer;
  readonly logger: Logger;
  /** Records spans. @default none */
  readonly tracer?: Tracer | null;
}

/** What a message asks for. */
export interface Task {
  /** Id of its event: the idempotency key. */
  readonly eventId: string;
  /** The part with side effects, which runs once for each event. Its result, as JSON, is kept in the record. */
  run(): Promise<unknown>;
}

export interface QueueWorkerOptions extends QueueWorkerDependencies {
  /** Prefix of the idempotency keys. Not Powertools' default, the function's name, which changes when the function is replaced. */
  readonly keyPrefix: string;
  /** Reads a message, without side effects; throws where it is unreadable. */
  prepare(body: string): Task;
  /** Whether a later delivery may succeed without intervention. @default no error is */
  isTransient?(error: unknown): boolean;
}

/** How long an event counts as handled: longer than its message can be redelivered, 14 days and, after a redrive, 14 more. */
const HANDLED_SECONDS = 30 * 24 * 60 * 60;

/** Longest that an invocation waits for the collector of traces, in milliseconds. */
const TRACE_FLUSH_TIMEOUT_MILLISECONDS = 1_000;

/**
 * Creates the handler of a batch of messages, which are handled concurrently. It reports the ids of failed ones, so that only they are redelivered
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
 *
 * SQS and Lambda deliver at least once. An idempotency record for each event, taken before the task runs and completed after it, makes that
 * **effectively** once. One window remains: when the worker or the database fails between the task and the completion, the task runs again.
 */
export function createQueueWorker(options: QueueWorkerOptions): QueueWorker {
  const { logger, tracer = null } = options;
  const configuration = new IdempotencyConfig({
    throwOnNoIdempotencyKey: true,
    expiresAfterSeconds: HANDLED_SECONDS,
    hashFunction: 'sha256',
  });
  // The key is the first argument: a JMESPath to the id inside of the event would be interpreted twice.
  const runOnce = makeIdempotent((_eventId: string, run: Task['run']) => run(), {
    persistenceStore: options.idempotency,
    config: configuration,
    keyPrefix: options.keyPrefix,
  });
  const processor = new BatchProcessor(EventType.SQS);
  const isTransient = (error: unknown) =>
    error instanceof IdempotencyAlreadyInProgressError || options.isTransient?.(error) === true;

  async function handleRecord(record: SQSRecord): Promise<void> {
    const message = {
      messageId: record.messageId,
      receiveCount: Number(record.attributes.ApproximateReceiveCount),
    };
    try {
      const task = options.prepare(record.body);
      await runOnce(task.eventId, () => task.run());
    } catch (error) {
      logger[isTransient(error) ? 'warn' : 'error']({ ...message, error }, 'Message failed');
      throw error;
    }
  }
  const handleInTrace = (record: SQSRecord) =>
    inMessageTrace(tracer, record, () => handleRecord(record));

  return async (event, context) => {
    configuration.registerLambdaContext(context);
    try {
      return await processPartialResponse(event, handleInTrace, processor, {
        context,
        throwOnFullBatchFailure: false,
      });
    } finally {
      // Before Lambda freezes the process.
      await tracer?.flush(TRACE_FLUSH_TIMEOUT_MILLISECONDS);
    }
  };
}
