import {
  type ApiKeyCreated,
  type EmailChanged,
  type Event,
  event,
  type PasswordResetRequested,
  type UserCreated,
} from '../../services/contracts/events.ts';
import { parseEvent } from '../queue-worker/message.ts';
import {
  createQueueWorker,
  type QueueWorker,
  type QueueWorkerDependencies,
} from '../queue-worker/queue-worker.ts';
import type { Lookups } from './lookups.ts';
import { type Mailer, MailerError, type Message, sendInCohorts } from './mailer/mailer.ts';
import type { PasswordResets } from './password-resets.ts';
import {
  composeApiKeyCreated,
  composeEmailChanged,
  composePasswordReset,
  composeWelcome,
} from './templates.ts';

export interface EmailWorkerDependencies extends Lookups, QueueWorkerDependencies {
  readonly passwordResets: PasswordResets;
  readonly mailer: Mailer;
}

/**
 * Share of an invocation's time in which a send may start. A later one could be cut off with the invocation between the send and its record, and
 * would be repeated.
 */
const SENDING_SHARE = 1 / 2;

/** Share of an invocation's time after which a send in flight is aborted: only its message is redelivered. A timeout fails the whole batch. */
const GIVE_UP_SHARE = 5 / 6;

type Outcome =
  | { readonly outcome: 'sent'; readonly messageId: string }
  | { readonly outcome: 'user not found' }
  | { readonly outcome: 'no recipient' };

/** Reads and composes, without side effects. @returns null when there is no recipient. */
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
    logger.info({ eventId: id, userId }, 'User no longer exists: no welcome sent');
    return { outcome: 'user not found' };
  }
  const messageId = await mailer.send(message);
  logger.info({ eventId: id, userId, emailId: messageId }, 'Welcome sent');
  return { outcome: 'sent', messageId };
}

/** Sends a link to a new password. Each delivery makes a new secret, and only the newest works: of duplicate emails, the later one. */
async function sendPasswordReset(
  { id, data: { passwordResetId } }: PasswordResetRequested,
  { passwordResets, mailer, logger }: EmailWorkerDependencies,
): Promise<Outcome> {
  const link = await passwordResets.issue(passwordResetId);
  if (link === null) {
    logger.info({ eventId: id }, 'Password reset without a recipient, or expired: no link sent');
    return { outcome: 'no recipient' };
  }
  const messageId = await mailer.send(await mailer.compose(await composePasswordReset(link, id)));
  logger.info({ eventId: id, emailId: messageId }, 'Password reset link sent');
  return { outcome: 'sent', messageId };
}

const noticeLog = {
  'user.email-changed': {
    sent: 'Former email address notified',
    absent: 'Email change no longer exists: no notice sent',
  },
  'user.api-key-created': {
    sent: 'Owner of a new API key notified',
    absent: 'API key or its owner no longer exists: no notice sent',
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
    logger.info({ eventId: id }, noticeLog[type].absent);
    return { outcome: 'no recipient' };
  }
  const messageId = await mailer.send(message);
  logger.info({ eventId: id, emailId: messageId }, noticeLog[type].sent);
  return { outcome: 'sent', messageId };
}

/**
 * Starts the reads and the composing before the idempotency record is taken, so that both run at the same time. For a duplicate event that
 * work is wasted.
 *
 * @returns the part with side effects, which must run once.
 */
function prepare(event: Event, dependencies: EmailWorkerDependencies): () => Promise<Outcome> {
  // Issuing a link to a new password is a side effect itself.
  if (event.type === 'user.password-reset-requested') {
    return () => sendPasswordReset(event, dependencies);
  }
  const composed = composeMessage(event, dependencies, 'find');
  // Not awaited when the event is a duplicate.
  composed.catch(() => {});
  return event.type === 'user.created'
    ? () => welcome(event, composed, dependencies)
    : () => sendNotice(event, composed, dependencies);
}

/**
 * Creates the handler of a batch of events: {@link createQueueWorker} sends one email for each. When the worker or the database fails between the
 * send and the completion of its record, the email is sent again: a rare duplicate is better than a lost email.
 */
export function createEmailWorker(given: EmailWorkerDependencies): QueueWorker {
  const cohorts = sendInCohorts(given.mailer);
  // An execution environment handles one invocation at a time.
  let mayStartSending = () => false;
  let sending = new AbortController();
  const mailer: Mailer = {
    compose: (email) => cohorts.compose(email),
    async send(message) {
      if (mayStartSending()) return await cohorts.send(message, sending.signal);
      throw new MailerError(
        'Too little time of the invocation is left to send it: the next delivery does',
        true,
      );
    },
  };
  const dependencies = { ...given, mailer };
  const handleBatch = createQueueWorker({
    ...dependencies,
    keyPrefix: 'email',
    prepare(body) {
      const parsed = parseEvent(body, event);
      return { eventId: parsed.id, run: prepare(parsed, dependencies) };
    },
    isTransient: (error) => error instanceof MailerError && error.retryable,
  });

  return async (batch, context) => {
    const time = context.getRemainingTimeInMillis();
    mayStartSending = () => context.getRemainingTimeInMillis() >= (1 - SENDING_SHARE) * time;
    sending = new AbortController();
    const giveUp = setTimeout(() => {
      const message = 'Too little time of the invocation is left to wait for the mailer';
      sending.abort(new DOMException(message, 'TimeoutError'));
    }, GIVE_UP_SHARE * time);
    try {
      return await handleBatch(batch, context);
    } finally {
      clearTimeout(giveUp);
    }
  };
}
