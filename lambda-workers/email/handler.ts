import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { thrownError } from '../observability/logger.ts';
import { createDependencies } from './dependencies.ts';
import { createEmailWorker } from './worker.ts';

type Worker = ReturnType<typeof createEmailWorker>;

/** Made by the first invocation of an execution environment, and used by those after it. */
let worker: Promise<Worker> | undefined;

async function createWorker(): Promise<Worker> {
  try {
    return createEmailWorker(await createDependencies(process.env));
  } catch (error) {
    // A later invocation tries again; this one fails with what is wrong.
    worker = undefined;
    throw thrownError('The email worker could not be started.', error);
  }
}

/**
 * Entry point of the Lambda function: see {@link createEmailWorker}.
 *
 * @throws `EnvironmentError` naming every variable that is wrong or missing; an error that says why the worker could not be started, without values.
 */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  worker ??= createWorker();
  return await (await worker)(event, context);
}
