import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import type { BasePersistenceLayer } from '@aws-lambda-powertools/idempotency/persistence';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type {
  ApiKeyCreated,
  EmailChanged,
  Event,
  PasswordResetRequested,
  UserCreated,
} from '../../services/contracts/events.ts';
import type { Tracer } from '../../services/contracts/tracing/span.ts';
import type { Logger } from '../observability/logger.ts';
import { inMessageTrace } from '../observability/message-trace.ts';
import type { Lookups } from './lookups.ts';
import { type Mailer, MailerError, type Message } from './mailer/mailer.ts';
import { createMailerInStep } from './mailer/send-in-cohorts.ts';
import { parseEvent } from './message.ts';
import type { PasswordResets } from './password-resets.ts';
import {
  composeApiKeyCreated,
  composeEmailChanged,
  composePasswordReset,
  composeWelcome,
} from './templates.ts';

/** Everything the worker talks to. */
export interface EmailWorkerDependencies extends Lookups {
  readonly passwordResets: PasswordResets;
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

/**
 * Share of an invocation's time in which the sending of an email may start. One that starts later could be cut off with the invocation after it was sent and
 * before its record says so, and would be sent again.
 */
const SENDING_SHARE = 1 / 2;

/**
 * Share of an invocation's time after which a send in flight is given up, so that its message alone comes again. An invocation that runs out of time fails the
 * whole batch.
 */
const GIVE_UP_SHARE = 5 / 6;

type Outcome =
  | { readonly outcome: 'sent'; readonly messageId: string }
  | { readonly outcome: 'user gone' }
  | { readonly outcome: 'for nobody' };

/** What may be done before the record of an event is taken, as it has no effect: reading, and composing. Null where nobody is to get it. */
async function composeMessage(
  event: UserCreated | EmailChanged | ApiKeyCreated,
  { recipients, emailChanges, apiKeyNotices, mailer }: EmailWorkerDependencies,
  how: 'find' | 'confirm',
): Promise<Message | null> {
  if (event.type === 'user.created') {
    const recipient = await recipients[how](event.data.userId);
    return recipient && (await mailer.compose(await composeWelcome(recipient, event.id)));
  }
  if (event.type === 'user.api-key-created') {
    const notice = await apiKeyNotices[how](event.data.apiKeyId);
    return notice && (await mailer.compose(await composeApiKeyCreated(notice, event.id)));
  }
  const notice = await emailChanges[how](event.data.emailChangeId);
  return notice && (await mailer.compose(await composeEmailChanged(notice, event.id)));
}

async function welcome(
  event: UserCreated,
  composed: Promise<Message | null>,
  dependencies: EmailWorkerDependencies,
): Promise<Outcome> {
  const { mailer, logger } = dependencies;
  const {
    id,
    data: { userId },
  } = event;
  const message = (await composed) ?? (await composeMessage(event, dependencies, 'confirm'));
  if (message === null) {
    logger.info({ eventId: id, userId }, 'User does not exist any more: no welcome is sent');
    return { outcome: 'user gone' };
  }
  const messageId = await mailer.send(message);
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
  const messageId = await mailer.send(await mailer.compose(await composePasswordReset(link, id)));
  logger.info({ eventId: id, emailId: messageId }, 'Link to a new password sent');
  return { outcome: 'sent', messageId };
}

/** What is logged of a notice about an account, by the type of its event. */
const noticeLog = {
  'user.email-changed': {
    sent: 'Former email address told',
    gone: 'Nobody is left to tell of a new email address',
  },
  'user.api-key-created': {
    sent: 'Owner of a new API key notified',
    gone: 'A new API key, or its owner, does not exist any more: no notice is sent',
  },
} as const;

async function sendNotice(
  event: EmailChanged | ApiKeyCreated,
  composed: Promise<Message | null>,
  dependencies: EmailWorkerDependencies,
): Promise<Outcome> {
  const { mailer, logger } = dependencies;
  const { id, type } = event;
  const message = (await composed) ?? (await composeMessage(event, dependencies, 'confirm'));
  if (message === null) {
    logger.info({ eventId: id }, noticeLog[type].gone);
    return { outcome: 'for nobody' };
  }
  const messageId = await mailer.send(message);
  logger.info({ eventId: id, emailId: messageId }, noticeLog[type].sent);
  return { outcome: 'sent', messageId };
}

/**
 * Begins with what may be done before the record of the event is taken, so that one does not wait for the other: while the database
 * takes the records of a batch, its messages are composed. For an event that turns out to be handled already, that was in vain; a batch
 * bounds how much.
 *
 * @returns what may be done once only.
 */
function prepare(event: Event, dependencies: EmailWorkerDependencies): () => Promise<Outcome> {
  // What is read here depends on nothing that is done for the event; a link to a new password is made by being asked for.
  if (event.type === 'user.password-reset-requested') {
    return () => sendPasswordReset(event, dependencies);
  }
  const composed = composeMessage(event, dependencies, 'find');
  // Nobody waits for it when the event turns out to be handled already.
  composed.catch(() => {});
  return event.type === 'user.created'
    ? () => welcome(event, composed, dependencies)
    : () => sendNotice(event, composed, dependencies);
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
  given: EmailWorkerDependencies,
): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  const inStep = createMailerInStep(given.mailer);
  // An execution environment handles one invocation at a time.
  let mayStartSending = () => false;
  let sending = new AbortController();
  const mailer: Mailer = {
    compose: (email) => inStep.compose(email),
    async send(message) {
      if (mayStartSending()) return await inStep.send(message, sending.signal);
      throw new MailerError(
        'Too little time is left to send it: it is left to the next delivery',
        true,
      );
    },
  };
  const dependencies = { ...given, mailer };
  const { idempotency, logger, tracer = null } = dependencies;
  const configuration = new IdempotencyConfig({
    throwOnNoIdempotencyKey: true,
    expiresAfterSeconds: HANDLED_SECONDS,
    hashFunction: 'sha256',
  });
  // The key is made of the first argument. A JMESPath to the id inside of the event would be looked up by an interpreter, twice.
  const handleOnce = makeIdempotent((_eventId: string, send: () => Promise<Outcome>) => send(), {
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
      await handleOnce(event.id, prepare(event, dependencies));
    } catch (error) {
      logger[passes(error) ? 'warn' : 'error']({ ...message, error }, 'Message failed');
      throw error;
    }
  }
  const handleInTrace = (record: SQSRecord) =>
    inMessageTrace(tracer, record, () => handleRecord(record));

  return async (event, context) => {
    configuration.registerLambdaContext(context);
    const time = context.getRemainingTimeInMillis();
    mayStartSending = () => context.getRemainingTimeInMillis() >= (1 - SENDING_SHARE) * time;
    sending = new AbortController();
    const giveUp = setTimeout(() => {
      const message = 'Too little time of the invocation is left to wait for it';
      sending.abort(new DOMException(message, 'TimeoutError'));
    }, GIVE_UP_SHARE * time);
    try {
      return await processPartialResponse(event, handleInTrace, processor, {
        context,
        throwOnFullBatchFailure: false,
      });
    } finally {
      clearTimeout(giveUp);
      // Before Lambda freezes the process.
      await tracer?.flush(TRACE_FLUSH_TIMEOUT_MILLISECONDS);
    }
  };
}
