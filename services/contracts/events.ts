import { z } from 'zod';
import { TRACE_PARENT_MAXIMUM_LENGTH } from './tracing/trace-context.ts';

/**
 * Events between services and workers: CloudEvents 1.0 as JSON (https://cloudevents.io), one in an SQS message. They carry ids, not personal data,
 * so that no queue keeps data of erased users.
 */
function cloudEvent<Type extends string, Data extends z.ZodType>(type: Type, data: Data) {
  return z.object({
    specversion: z.literal('1.0'),
    /** Unique: the idempotency key of consumers. */
    id: z.uuid(),
    /** The service that sent it, as a path, such as `/user-api`. */
    source: z.string().startsWith('/'),
    type: z.literal(type),
    /** When it happened, RFC 3339 in UTC. */
    time: z.iso.datetime(),
    datacontenttype: z.literal('application/json'),
    /**
     * The trace of the request (https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md). The span of the
     * sending is in an attribute of the message.
     */
    traceparent: z.string().max(TRACE_PARENT_MAXIMUM_LENGTH).optional(),
    data,
  });
}

/** A user has been created. */
export const userCreated = cloudEvent('user.created', z.object({ userId: z.int().positive() }));
export type UserCreated = z.infer<typeof userCreated>;

/** A password reset was requested. The user, if any, is in the database; the worker creates the secret, so that no queue, outbox or log has it. */
export const passwordResetRequested = cloudEvent(
  'user.password-reset-requested',
  z.object({ passwordResetId: z.uuid() }),
);
export type PasswordResetRequested = z.infer<typeof passwordResetRequested>;

/** A user has another email address. The former one, which gets a notice, is in the database until then. */
export const emailChanged = cloudEvent('user.email-changed', z.object({ emailChangeId: z.uuid() }));
export type EmailChanged = z.infer<typeof emailChanged>;

/** A user has a new API key. The content of the notice to its owner is in the database. */
export const apiKeyCreated = cloudEvent(
  'user.api-key-created',
  z.object({ apiKeyId: z.int().positive() }),
);
export type ApiKeyCreated = z.infer<typeof apiKeyCreated>;

/** Every event. */
export const event = z.discriminatedUnion('type', [
  userCreated,
  passwordResetRequested,
  emailChanged,
  apiKeyCreated,
]);
export type Event = z.infer<typeof event>;
