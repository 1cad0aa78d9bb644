import { createSesMailer } from '../../../../lambda-workers/email/mailer/ses.ts';
import { composeWelcome } from '../../../../lambda-workers/email/templates.ts';
import { runBatches } from './run-batches.ts';

/**
 * A handler that only parses each message and sends the email: nothing is checked, nobody is looked up, nothing is logged, and
 * an event that comes twice is sent twice.
 */
const mailer = createSesMailer('Headroom <no-reply@headroom.example>', {
  region: process.env.AWS_REGION ?? 'us-east-1',
});
const recipient = { name: 'Ada Lovelace', email: 'ada.lovelace@example.com' };

await runBatches(async ({ Records: records }) => {
  await Promise.all(
    records.map(async ({ body }) => {
      const event = JSON.parse(body);
      const message = await mailer.compose(await composeWelcome(recipient, event.id));
      await mailer.send(message);
    }),
  );
  return { batchItemFailures: [] };
});
