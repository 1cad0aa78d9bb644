import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { thrownError } from '../observability/logger.ts';
import { createDependencies } from './dependencies.ts';
import { createEmailWorker } from './worker.ts';

type Worker = ReturnType<typeof createEmailWorker>;

/** Created by the first invocation of an execution environment, and reused by the next ones. */
let worker: Promise<Worker> | undefined;

async function createWorker(): Promise<Worker> {
  try {
    return createEmailWorker(await createDependencies(process.env));
  } catch (error) {
    // The next invocation tries again.
    worker = undefined;
    throw thrownError('The email worker could not be started.', error);
  }
}

/**
 * Entry point of the Lambda function: see {@link createEmailWorker}.
 *
 * @throws `EnvironmentError` naming every invalid variable; an error that says why the worker could not be started, without values.
 */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  worker ??= createWorker();
  return await (await worker)(event, context);
}
