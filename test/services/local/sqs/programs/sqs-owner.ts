import { startSqs } from '../../../../../services/local/sqs/sqs.ts';

/** Serves SQS from the folder named by its argument with the queues of the second one, prints the URLs, and waits. */
const sqs = await startSqs({
  directory: process.argv[2] ?? '',
  queues: JSON.parse(process.argv[3] ?? '[]'),
});
process.send?.({ endpoint: sqs.endpoint, queues: sqs.queues });
process.once('disconnect', () => process.exit());
