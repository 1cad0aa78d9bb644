import { createdAtFirstInvocation } from '../queue-worker/first-invocation.ts';
import { createDependencies } from './dependencies.ts';
import { createEmailWorker } from './worker.ts';

/** Entry point of the Lambda function: see {@link createEmailWorker}. */
export const handler = createdAtFirstInvocation('The email worker', async () =>
  createEmailWorker(await createDependencies(process.env)),
);
