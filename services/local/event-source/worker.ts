import { LocalFailure } from '../local-failure.ts';

/** A worker as its event source needs it, with Lambda's names and ranges. */
export interface EventSourceWorker {
  readonly name: string;
  /** Module that exports `handler`: an absolute path, or one relative to the root of the repository. */
  readonly entry: string;
  readonly memoryMebibytes: number;
  /** Longest that one invocation may run, in seconds. */
  readonly timeoutSeconds: number;
  /** Most messages to an invocation: 1 to 10,000. */
  readonly batchSize: number;
  /** How long a batch may wait to fill, in seconds: 0 to 300. */
  readonly maximumBatchingWindowSeconds: number;
  /** Most invocations at once: 2 to 1,000. */
  readonly maximumConcurrency: number;
}

/** A larger batch needs a batching window in Lambda, because one ReceiveMessage call gives no more. */
const LARGEST_BATCH_WITHOUT_WINDOW = 10;

/** Each setting's range, from https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html. */
const RANGES = {
  timeoutSeconds: [1, 900],
  batchSize: [1, 10_000],
  maximumBatchingWindowSeconds: [0, 300],
  maximumConcurrency: [2, 1_000],
} as const;

/**
 * Refuses settings that Lambda would refuse, before a deployment.
 *
 * @param visibilityTimeoutSeconds - of the queue.
 * @throws {LocalFailure} for the first invalid setting.
 */
export function checkWorker(worker: EventSourceWorker, visibilityTimeoutSeconds: number): void {
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = worker[name as keyof typeof RANGES];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new LocalFailure(
        `The worker ${worker.name} has ${name} ${value}; Lambda takes a whole number from ${least} to ${most}.`,
        `Correct ${name} where the worker is defined.`,
      );
    }
  }
  if (worker.batchSize > LARGEST_BATCH_WITHOUT_WINDOW && worker.maximumBatchingWindowSeconds < 1) {
    throw new LocalFailure(
      `The worker ${worker.name} has batchSize ${worker.batchSize} and no batching window; Lambda takes more than ${LARGEST_BATCH_WITHOUT_WINDOW} messages only with one.`,
      'Set maximumBatchingWindowSeconds to at least 1 where the worker is defined.',
    );
  }
  if (visibilityTimeoutSeconds < worker.timeoutSeconds) {
    throw new LocalFailure(
      `The queue of the worker ${worker.name} has a visibility timeout of ${visibilityTimeoutSeconds} s, less than the worker's timeout of ${worker.timeoutSeconds} s: its messages would come again while they are worked on.`,
      'Raise the visibility timeout of the queue to 6 times the timeout of the worker, as AWS advises.',
    );
  }
}
