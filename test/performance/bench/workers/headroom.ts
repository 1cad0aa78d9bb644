import { createDependencies } from '../../../../lambda-workers/email/dependencies.ts';
import { createEmailWorker } from '../../../../lambda-workers/email/worker.ts';
import { runBatches } from './run-batches.ts';

/** The email worker with all it has: each event once, the user from the database, a log line for each email. */
const { close, ...dependencies } = await createDependencies(process.env);
await runBatches(createEmailWorker(dependencies));
await close();
