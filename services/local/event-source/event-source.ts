import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LocalFailure } from '../local-failure.ts';
import { BatchCollector } from './batch-collector.ts';
import type { ProcessGuard } from './execution-environment.ts';
import { type InvocationReport, queueFailureLine, reportLine } from './invocation-report.ts';
import { LocalFunction } from './local-function.ts';
import { Poller } from './poller.ts';
import { Queue, type QueueDescription, type QueueLocation } from './queue.ts';
import { checkWorker, type EventSourceWorker } from './worker.ts';

interface WorkerLog {
  /** Descriptor for the runtimes' standard output and error. @default this process's own */
  readonly descriptor?: number;
  /** Appends one line; without a file it is dropped. */
  write(line: string): void;
  close(): void;
}

/**
 * Opens a log file for appending, which the event source and its runtimes share.
 *
 * @throws the file system's error when the file cannot be opened.
 */
function openLog(file: string | undefined): WorkerLog {
  if (file === undefined) return { write: () => {}, close: () => {} };
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, 'a', 0o600);
  let open = true;
  return {
    descriptor,
    write(line) {
      if (open) writeSync(descriptor, `${line}\n`);
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/** Lambda's name for a version that has not been published. */
const UNPUBLISHED_VERSION = '$LATEST';

function functionArn(worker: EventSourceWorker, queueArn: string): string {
  const [, partition, , region, account] = queueArn.split(':');
  return `arn:${partition}:lambda:${region}:${account}:function:${worker.name}`;
}

/**
 * The environment of a runtime: Lambda's variables
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime) and the worker's, which cannot
 * replace reserved
 * ones.
 *
 * @param streamName - of the environment's log stream.
 */
function functionVariables(
  worker: EventSourceWorker,
  region: string,
  streamName: string,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    LANG: 'en_US.UTF-8',
    TZ: 'UTC',
    PATH: process.env.PATH ?? '',
    ...own,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: worker.name,
    AWS_LAMBDA_FUNCTION_VERSION: UNPUBLISHED_VERSION,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(worker.memoryMebibytes),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${worker.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: streamName,
  };
}

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

/** Longest that `stop` waits for invocations in flight, in milliseconds, as a developer waits after Ctrl-C. */
const STOP_TIMEOUT_MILLISECONDS = 5_000;

/** So that a slow message does not hold up all others, even on one core. */
const LEAST_RUNTIMES = 2;

export interface EventSourceOptions extends QueueLocation {
  readonly worker: EventSourceWorker;
  /** The worker's whole environment: a runtime inherits nothing. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Bound on runtime processes, and so on concurrent invocations, besides the worker's `maximumConcurrency`.
   *
   * @default the number of processor cores, at least 2: a runtime is a process of some 100 MB, and more only wait for a core
   */
  readonly maximumRuntimes?: number;
  /** File that the worker's output and a line for each invocation are appended to. @default this process's output, no lines */
  readonly logFile?: string;
  /** Ends the runtimes when this process is killed. @default they end by themselves, unless they are stuck in a loop */
  readonly guard?: ProcessGuard;
  /** Called after each invocation. */
  readonly onInvocation?: (report: InvocationReport) => void;
  /** Called when calls to SQS begin to fail; they are retried until they work. */
  readonly onQueueFailure?: (error: Error) => void;
  /** Longest that `stop` waits for invocations in flight, in milliseconds. @default 5,000 */
  readonly stopTimeoutMilliseconds?: number;
}

export interface EventSource {
  processIds(): number[];
  /**
   * Stops polling, waits for invocations in flight (up to `stopTimeoutMilliseconds`), and ends every runtime. Received messages that were not
   * handed
   * over go back to the queue; those of an interrupted invocation come again after their visibility timeout.
   */
  stop(): Promise<void>;
}

/**
 * Feeds a worker from a standard SQS queue as Lambda's event source mapping does (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html)
 * with
 * `ReportBatchItemFailures`: polls, collects batches (see {@link BatchCollector}), invokes, and deletes the messages that did not fail (see
 * {@link judgeResponse}). Failed ones come again after the visibility timeout, and SQS moves them to the dead-letter queue.
 *
 * As in Lambda, each invocation has a process to itself, reused when idle, replaced after a crash or timeout: so module state is not shared,
 * and a
 * timeout is enforced. It polls only while an invocation could begin, so that no message waits hidden. Lambda has no backoff with
 * `ReportBatchItemFailures` (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
 *
 * @throws {LocalFailure} when the queue cannot be read or is FIFO, or Lambda would refuse the worker's settings.
 */
export async function startEventSource(options: EventSourceOptions): Promise<EventSource> {
  const queue = new Queue(options);
  let log: WorkerLog | undefined;
  try {
    const description = await queue.describe();
    refuseWhatLambdaWould(options.worker, description);
    log = openLog(options.logFile);
    return run(options, queue, description.arn, log);
  } catch (error) {
    queue.close();
    log?.close();
    throw error;
  }
}

function refuseWhatLambdaWould(worker: EventSourceWorker, queue: QueueDescription): void {
  if (queue.arn.endsWith('.fifo')) {
    throw new LocalFailure(
      `The queue of the worker ${worker.name} is FIFO (${queue.arn}); the local event source keeps no order.`,
      'Use a standard queue.',
    );
  }
  checkWorker(worker, queue.visibilityTimeoutSeconds);
}

function run(
  options: EventSourceOptions,
  queue: Queue,
  queueArn: string,
  log: WorkerLog,
): EventSource {
  const { worker, onInvocation, onQueueFailure } = options;
  const localFunction = new LocalFunction({
    entry: resolve(REPOSITORY, worker.entry),
    variables: functionVariables(worker, options.region, randomUUID(), options.environment),
    memoryMebibytes: worker.memoryMebibytes,
    timeoutSeconds: worker.timeoutSeconds,
    functionArn: functionArn(worker, queueArn),
    logDescriptor: log.descriptor,
    guard: options.guard,
  });
  const poller = new Poller({
    queue,
    collector: new BatchCollector(queue, queueArn, worker),
    localFunction,
    workerName: worker.name,
    concurrency: Math.min(
      worker.maximumConcurrency,
      options.maximumRuntimes ?? Math.max(LEAST_RUNTIMES, availableParallelism()),
    ),
    onInvocation(report) {
      log.write(reportLine(report));
      onInvocation?.(report);
    },
    onQueueFailure(error) {
      log.write(queueFailureLine(error));
      onQueueFailure?.(error);
    },
  });

  async function stop(): Promise<void> {
    const patience = options.stopTimeoutMilliseconds ?? STOP_TIMEOUT_MILLISECONDS;
    await poller.stopPolling();
    await Promise.race([poller.idle(), delay(patience, undefined, { ref: false })]);
    await localFunction.end();
    await poller.idle();
    queue.close();
    log.close();
  }

  let stopped: Promise<void> | undefined;
  return {
    processIds: () => localFunction.processIds(),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
