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

/** Where a worker's output goes. */
interface WorkerLog {
  /** Descriptor for the runtimes' standard output and error. @default this process's own */
  readonly descriptor?: number;
  /** Appends one line; without a file it is dropped. */
  write(line: string): void;
  close(): void;
}

/**
 * Opens a log file for appending, so that the event source and its runtimes can write to it side by side, or none.
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

/** The ARN that a function of this name would have in the queue's account and region. */
function functionArn(worker: EventSourceWorker, queueArn: string): string {
  const [, partition, , region, account] = queueArn.split(':');
  return `arn:${partition}:lambda:${region}:${account}:function:${worker.name}`;
}

/**
 * All the environment variables of a runtime: what Lambda sets by itself
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime), as far as it means
 * something here, and the worker's own. As in Lambda, the worker's own cannot replace those that are reserved.
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

/** Longest that `stop` waits for invocations in flight, in milliseconds: what a developer waits for after Ctrl-C. */
const STOP_TIMEOUT_MILLISECONDS = 5_000;

/** Fewest runtimes, so that a message which takes long does not hold up all others even on one core. */
const LEAST_RUNTIMES = 2;

export interface EventSourceOptions extends QueueLocation {
  readonly worker: EventSourceWorker;
  /** The worker's environment variables, all of them: a runtime inherits none. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Most runtime processes, and so invocations at once, whatever the worker's `maximumConcurrency` allows.
   * @default the number of processor cores, at least 2: a runtime is a process of some 100 MB, and more of them than cores
   * only wait for each other
   */
  readonly maximumRuntimes?: number;
  /** File that the worker's output and a line for each invocation are appended to. @default this process's output, no lines */
  readonly logFile?: string;
  /** Ends the runtimes when this process is killed. @default they end by themselves, unless they are stuck in a loop */
  readonly guard?: ProcessGuard;
  /** Told how each invocation went. */
  readonly onInvocation?: (report: InvocationReport) => void;
  /** Told when calls to SQS begin to fail; they are tried again until they work. */
  readonly onQueueFailure?: (error: Error) => void;
  /** Longest that `stop` waits for invocations in flight, in milliseconds. @default 5,000 */
  readonly stopTimeoutMilliseconds?: number;
}

export interface EventSource {
  /** Ids of the runtime processes that run now; none before the first message. */
  processIds(): number[];
  /**
   * Stops polling, waits for the invocations in flight (not for ever: see `stopTimeoutMilliseconds`), and ends every runtime.
   * What was received and not handed over goes back to the queue; the messages of an invocation that was cut short come
   * again after their visibility timeout.
   */
  stop(): Promise<void>;
}

/**
 * Feeds a worker from a standard SQS queue as Lambda's event source mapping does
 * (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html), with `ReportBatchItemFailures` on: polls, collects batches
 * (see {@link BatchCollector}), invokes, and deletes the messages that did not fail (see {@link judgeResponse}). Failed
 * ones come again after the queue's visibility timeout, and SQS itself moves them to the dead-letter queue.
 *
 * Concurrency is as in Lambda: each invocation has an execution environment, a process, to itself, started when all
 * others are busy, kept for later invocations, replaced when it crashes or times out. In one process, invocations would
 * share module state, which they never do in Lambda, and a timeout could not be enforced. It polls only while an
 * invocation could begin, so that no message waits hidden. Lambda's backoff after errors is not here because with
 * `ReportBatchItemFailures` there is none (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
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
