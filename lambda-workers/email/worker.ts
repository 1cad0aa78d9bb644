import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import type { BasePersistenceLayer } from '@aws-lambda-powertools/idempotency/persistence';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type {
  EmailChanged,
  Event,
  PasswordResetRequested,
  UserCreated,
} from '../../services/contracts/events.ts';
import type { Tracer } from '../../services/contracts/tracing/span.ts';
import type { Logger } from '../observability/logger.ts';
import { inMessageTrace } from '../observability/message-trace.ts';
import type { EmailChanges } from './email-changes.ts';
import { type Mailer, MailerError } from './mailer/mailer.ts';
import { parseEvent } from './message.ts';
import type { PasswordResets } from './password-resets.ts';
import type { Recipient, Recipients } from './recipients.ts';
import { composeEmailChanged } from './templates/email-changed.ts';
import { composePasswordReset } from './templates/password-reset.ts';
import { composeWelcome } from './templates/welcome.ts';

/** Everything the worker talks to. */
export interface EmailWorkerDependencies {
  readonly recipients: Recipients;
  readonly passwordResets: PasswordResets;
  readonly emailChanges: EmailChanges;
  readonly mailer: Mailer;
  /** Where it is written down which events have been handled. */
  readonly idempotency: BasePersistenceLayer;
  readonly logger: Logger;
  /** Records what is done for messages of recorded traces. @default nothing is recorded */
  readonly tracer?: Tracer | null;
}

/**
 * How long an event counts as handled: longer than its message can come again. A message lives for 14 days at most, those
 * in the dead-letter queue included, as age counts from the first send; a redrive sends it anew, for 14 more.
 */
const HANDLED_SECONDS = 30 * 24 * 60 * 60;

/** Longest that an invocation waits for the collector of traces, in milliseconds: emails matter, spans don't. */
const TRACE_FLUSH_TIMEOUT_MILLISECONDS = 1_000;

type Outcome =
  | { readonly outcome: 'sent'; readonly messageId: string }
  | { readonly outcome: 'user gone' }
  | { readonly outcome: 'for nobody' };

async function welcome(
  { id, data: { userId } }: UserCreated,
  found: Promise<Recipient | null>,
  { mailer, logger }: EmailWorkerDependencies,
): Promise<Outcome> {
  const recipient = await found;
  if (recipient === null) {
    logger.info({ eventId: id, userId }, 'User does not exist any more: no welcome is sent');
    return { outcome: 'user gone' };
  }
  const messageId = await mailer.send(await composeWelcome(recipient, id));
  logger.info({ eventId: id, userId, emailId: messageId }, 'Welcome sent');
  return { outcome: 'sent', messageId };
}

/**
 * Sends a link to a new password. Each delivery makes a new secret, and the newest is the one that works: an email that went out
 * twice has its working link in the later one.
 */
async function sendPasswordReset(
  { id, data: { passwordResetId } }: PasswordResetRequested,
  { passwordResets, mailer, logger }: EmailWorkerDependencies,
): Promise<Outcome> {
  const link = await passwordResets.issue(passwordResetId);
  if (link === null) {
    logger.info({ eventId: id }, 'A new password was asked for nobody, or too long ago');
    return { outcome: 'for nobody' };
  }
  const messageId = await mailer.send(await composePasswordReset(link, id));
  logger.info({ eventId: id, emailId: messageId }, 'Link to a new password sent');
  return { outcome: 'sent', messageId };
}

async function tellFormerAddress(
  { id, data: { emailChangeId } }: EmailChanged,
  { emailChanges, mailer, logger }: EmailWorkerDependencies,
): Promise<Outcome> {
  const notice = await emailChanges.find(emailChangeId);
  if (notice === null) {
    logger.info({ eventId: id }, 'Nobody is left to tell of a new email address');
    return { outcome: 'for nobody' };
  }
  const messageId = await mailer.send(await composeEmailChanged(notice, id));
  logger.info({ eventId: id, emailId: messageId }, 'Former email address told');
  return { outcome: 'sent', messageId };
}

/**
 * Begins with what may be done before the record of the event is taken, so that one does not wait for the other: reading.
 *
 * @returns what may be done once only.
 */
function prepare(event: Event, dependencies: EmailWorkerDependencies): () => Promise<Outcome> {
  switch (event.type) {
    case 'user.created': {
      const recipient = dependencies.recipients.find(event.data.userId);
      // Nobody waits for it when the event turns out to be handled already.
      recipient.catch(() => {});
      return () => welcome(event, recipient, dependencies);
    }
    case 'user.password-reset-requested':
      return () => sendPasswordReset(event, dependencies);
    case 'user.email-changed':
      return () => tellFormerAddress(event, dependencies);
  }
}

/** Whether a failure is one that a later delivery gets past by itself, so that nobody need look. */
function passes(error: unknown): boolean {
  if (error instanceof IdempotencyAlreadyInProgressError) return true;
  return error instanceof MailerError && error.retryable;
}

/**
 * Makes the function that handles a batch of messages: each by itself, side by side, and the ids of those that failed
 * are reported so that only they come again
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
 *
 * SQS and Lambda deliver at least once. A record for each event, taken before the email goes and completed after it,
 * makes that **effectively** once, with one window that no record can close: when the worker dies, or the
 * database fails, after the mailer has accepted the email and before the record says so, the message comes again
 * and the email goes out a second time. We choose a rare second welcome over a lost one.
 */
export function createEmailWorker(
  dependencies: EmailWorkerDependencies,
): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  const { idempotency, logger, tracer = null } = dependencies;
  const configuration = new IdempotencyConfig({
    eventKeyJmesPath: 'id',
    throwOnNoIdempotencyKey: true,
    expiresAfterSeconds: HANDLED_SECONDS,
    hashFunction: 'sha256',
  });
  const handleOnce = makeIdempotent((_event: Event, send: () => Promise<Outcome>) => send(), {
    persistenceStore: idempotency,
    config: configuration,
    // Not Powertools' default, the function's name: that changes when the function is replaced.
    keyPrefix: 'email',
  });
  const processor = new BatchProcessor(EventType.SQS);

  async function handleRecord(record: SQSRecord): Promise<void> {
    const message = {
      messageId: record.messageId,
      receiveCount: Number(record.attributes.ApproximateReceiveCount),
    };
    try {
      const event = parseEvent(record.body);
      await handleOnce(event, prepare(event, dependencies));
    } catch (error) {
      logger[passes(error) ? 'warn' : 'error']({ ...message, error }, 'Message failed');
      throw error;
    }
  }
  const handleInTrace = (record: SQSRecord) =>
    inMessageTrace(tracer, record, () => handleRecord(record));

  return async (event, context) => {
    configuration.registerLambdaContext(context);
    try {
      return await processPartialResponse(event, handleInTrace, processor, {
        context,
        throwOnFullBatchFailure: false,
      });
    } finally {
      // Before Lambda freezes the process.
      await tracer?.flush(TRACE_FLUSH_TIMEOUT_MILLISECONDS);
    }
  };
}
