import { z } from 'zod';
import { TRACE_PARENT_MAXIMUM_LENGTH } from './tracing/trace-parent.ts';

/**
 * Events between services and workers: CloudEvents 1.0 in its JSON format (https://cloudevents.io), one event to an
 * SQS message. They carry ids, not personal data: a worker reads what it needs when it acts, so that an erased person
 * is not kept in a queue.
 */
function cloudEvent<Type extends string, Data extends z.ZodType>(type: Type, data: Data) {
  return z.object({
    specversion: z.literal('1.0'),
    /** Unique for each event: the key that makes at-least-once delivery effectively once. */
    id: z.uuid(),
    /** The service that sent it, as a path, such as `/user-api`. */
    source: z.string().startsWith('/'),
    type: z.literal(type),
    /** When it happened, RFC 3339 in UTC. */
    time: z.iso.datetime(),
    datacontenttype: z.literal('application/json'),
    /**
     * The trace of the request that it comes of, as that request had it
     * (https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md). The way it travels has one of
     * its own, in an attribute of the message.
     */
    traceparent: z.string().max(TRACE_PARENT_MAXIMUM_LENGTH).optional(),
    data,
  });
}

/** A user has been created. */
export const userCreated = cloudEvent('user.created', z.object({ userId: z.int().positive() }));
export type UserCreated = z.infer<typeof userCreated>;

/**
 * Somebody asked for a new password. Who it is for, if anybody, is in the database; the secret of the link is made by the worker that
 * sends it, so that no queue, outbox or log ever holds one.
 */
export const passwordResetRequested = cloudEvent(
  'user.password-reset-requested',
  z.object({ passwordResetId: z.uuid() }),
);
export type PasswordResetRequested = z.infer<typeof passwordResetRequested>;

/** A user has another email address. The former one, which is notified of it, is in the database until then. */
export const emailChanged = cloudEvent('user.email-changed', z.object({ emailChangeId: z.uuid() }));
export type EmailChanged = z.infer<typeof emailChanged>;

/** A user has a new API key. The content of the notice to its owner is in the database. */
export const apiKeyCreated = cloudEvent(
  'user.api-key-created',
  z.object({ apiKeyId: z.int().positive() }),
);
export type ApiKeyCreated = z.infer<typeof apiKeyCreated>;

/** Every event there is, distinguished by `type`. */
export const event = z.discriminatedUnion('type', [
  userCreated,
  passwordResetRequested,
  emailChanged,
  apiKeyCreated,
]);
export type Event = z.infer<typeof event>;
