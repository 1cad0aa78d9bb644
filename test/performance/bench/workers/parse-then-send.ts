import { createSesMailer } from '../../../../lambda-workers/email/mailer/ses.ts';
import { composeWelcome } from '../../../../lambda-workers/email/templates.ts';
import { runBatches } from './run-batches.ts';

/** As `parse-and-send.ts`, but the emails of a batch are sent when all of them are composed: `mailer/in-step.ts` says why. */
const mailer = createSesMailer('Headroom <no-reply@headroom.example>', {
  region: process.env.AWS_REGION ?? 'us-east-1',
});
const recipient = { name: 'Ada Lovelace', email: 'ada.lovelace@example.com' };

await runBatches(async ({ Records: records }) => {
  const messages = await Promise.all(
    records.map(async ({ body }) => {
      const event = JSON.parse(body);
      return await mailer.compose(await composeWelcome(recipient, event.id));
    }),
  );
  await Promise.all(messages.map((message) => mailer.send(message)));
  return { batchItemFailures: [] };
});
