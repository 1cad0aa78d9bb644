import { z } from 'zod';
import { throwProblems } from './configuration-error.ts';
import { repeated } from './repeated.ts';
import { findProblems, repositoryFile, wholeNumber } from './validate.ts';
import type { WorkerDefinition } from './workers.ts';

/** AWS advises six function timeouts for a queue's visibility timeout, plus the batching window. */
const VISIBILITY_TIMEOUTS = 6;
/** A batch beyond this size needs a batching window. */
const LARGEST_UNWINDOWED_BATCH = 10;
const MAXIMUM_RETENTION_SECONDS = 1_209_600;

/** The limits are those of SQS and of Lambda's SQS event source. */
const workerDefinition = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[a-z][a-z0-9-]{0,29}$/,
        'It takes lower-case letters, digits and hyphens, at most 30',
      ),
    description: z.string().min(1, 'It takes a sentence'),
    entry: repositoryFile(z.string().regex(/\.ts$/, 'It takes the path of a TypeScript module')),
    queueUrlVariable: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*_QUEUE_URL$/, 'It takes a name such as EMAIL_QUEUE_URL'),
    memoryMebibytes: wholeNumber(128, 10_240),
    timeoutSeconds: wholeNumber(1, 900),
    batchSize: wholeNumber(1, 10_000),
    maximumBatchingWindowSeconds: wholeNumber(0, 300),
    maximumConcurrency: wholeNumber(2, 1_000),
    visibilityTimeoutSeconds: wholeNumber(0, 43_200),
    maximumReceiveCount: wholeNumber(1, 1_000),
    retentionSeconds: wholeNumber(60, MAXIMUM_RETENTION_SECONDS),
    deadLetterRetentionSeconds: wholeNumber(60, MAXIMUM_RETENTION_SECONDS),
    demand: z
      .strictObject({
        per: z.enum(
          ['creation', 'write', 'login'],
          'It takes what sends messages: creation, write or login',
        ),
        messages: z.number('It takes a number').positive('It takes more than 0'),
        secondsPerMessage: z.number('It takes a number').positive('It takes more than 0'),
      })
      .optional(),
    databaseUser: z
      .string()
      .regex(/^[a-z_][a-z0-9_]*$/, 'It takes the name of a PostgreSQL role')
      .optional(),
    sendsEmail: z.boolean('It takes true or false').optional(),
  })
  .superRefine((worker, context) => {
    const problem = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    const leastVisibility =
      VISIBILITY_TIMEOUTS * worker.timeoutSeconds + worker.maximumBatchingWindowSeconds;
    if (worker.visibilityTimeoutSeconds < leastVisibility) {
      problem(
        'visibilityTimeoutSeconds',
        `It takes at least ${leastVisibility}: ${VISIBILITY_TIMEOUTS} × timeoutSeconds + maximumBatchingWindowSeconds, or a message is delivered again while it is being worked on`,
      );
    }
    if (worker.deadLetterRetentionSeconds <= worker.retentionSeconds) {
      problem(
        'deadLetterRetentionSeconds',
        `It takes more than retentionSeconds (${worker.retentionSeconds}): a message's age counts from when it was first sent, so it would expire as it arrives`,
      );
    }
    if (worker.batchSize > LARGEST_UNWINDOWED_BATCH && worker.maximumBatchingWindowSeconds === 0) {
      problem(
        'maximumBatchingWindowSeconds',
        `It takes at least 1 where batchSize is over ${LARGEST_UNWINDOWED_BATCH}`,
      );
    }
  });

/**
 * Checks the list of workers.
 *
 * @throws ConfigurationError naming each worker, key and value that is wrong, and what it takes.
 */
export function validateWorkers(
  definitions: readonly WorkerDefinition[],
): readonly WorkerDefinition[] {
  throwProblems([
    ...definitions.flatMap((worker) =>
      findProblems(`Worker "${worker.name}"`, workerDefinition, worker),
    ),
    ...repeated(definitions.map((worker) => worker.name)).map(
      (name) => `Worker "${name}" is there more than once; names must differ.`,
    ),
    ...repeated(definitions.map((worker) => worker.queueUrlVariable)).map(
      (variable) => `Several workers have the queueUrlVariable ${variable}; they must differ.`,
    ),
  ]);
  return definitions;
}
