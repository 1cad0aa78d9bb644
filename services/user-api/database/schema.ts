import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import { EMAIL_MAXIMUM_LENGTH } from '../../contracts/email-address.ts';
import { defaultUserStatus, NAME_MAXIMUM_LENGTH, userStatuses } from '../../contracts/users.ts';

/** In milliseconds, as in a JavaScript date and the API's timestamps: more would not survive a round trip. */
const instant = (name: string) =>
  timestamp(name, { withTimezone: true, precision: 3, mode: 'string' });

/** The index that keeps emails unique; the repository recognises a duplicate by its name. */
export const EMAIL_UNIQUE_INDEX = 'users_email_key';

/** The constraint of the triggers of migration 0006: at least one active administrator remains. */
export const ACTIVE_ADMINISTRATOR = 'active_administrator';

/**
 * Each index serves a query of `users/`: the duplicate check, and lists by creation or by name, of all users and of those with a status. Names
 * are ordered by the bytes of their lower case (collation "C"): the names with a prefix are adjacent, and no upgrade of collations reorders them.
 */
export const users = pgTable(
  'users',
  {
    /** Whole numbers below 2^53, so that every JSON reader holds them exactly. */
    id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
    name: varchar({ length: NAME_MAXIMUM_LENGTH }).notNull(),
    email: varchar({ length: EMAIL_MAXIMUM_LENGTH }).notNull(),
    status: text({ enum: userStatuses }).notNull().default(defaultUserStatus),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
    /** 1 at creation, one more with each update: the ETag, and the order of cache entries. */
    version: integer().notNull().default(1),
  },
  (table) => [
    uniqueIndex(EMAIL_UNIQUE_INDEX).on(sql`lower(${table.email})`),
    index('users_created_at_index').on(table.createdAt, table.id),
    index('users_status_created_at_index').on(table.status, table.createdAt, table.id),
    index('users_name_index').on(sql`(lower(${table.name}) collate "C")`, table.id),
    index('users_status_name_index').on(
      table.status,
      sql`(lower(${table.name}) collate "C")`,
      table.id,
    ),
    check('users_status_check', sql`${table.status} in ('active', 'inactive', 'suspended')`),
  ],
);

/**
 * Events written in the transaction of their change, until they have been sent
 * (https://microservices.io/patterns/data/transactional-outbox.html).
 */
export const outbox = pgTable(
  'outbox',
  {
    /** The id of the event. */
    id: uuid().primaryKey(),
    type: text().notNull(),
    data: jsonb().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** `traceparent` of the request that wrote it; null when it had none. */
    traceparent: text(),
    /** When a relay may take it: some time after it was written, or when the lease of another relay expires. */
    availableAt: instant('available_at').notNull(),
  },
  (table) => [index('outbox_available_at_index').on(table.availableAt)],
);

/** Idempotency records of consumers of events, so that an event delivered twice acts once. The columns are those of Powertools for AWS Lambda. */
export const idempotencyRecords = pgTable(
  'idempotency_records',
  {
    /** Each consumer has records of its own. */
    consumer: text().notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    status: text({ enum: ['INPROGRESS', 'COMPLETED'] }).notNull(),
    /** Milliseconds since 1970 after which an unfinished attempt counts as dead. */
    inProgressExpiry: bigint('in_progress_expiry', { mode: 'number' }),
    /** Seconds since 1970 after which the record expires. */
    expiry: bigint({ mode: 'number' }).notNull(),
    responseData: jsonb('response_data'),
    payloadHash: text('payload_hash'),
  },
  (table) => [
    primaryKey({ columns: [table.consumer, table.idempotencyKey] }),
    // For maintenance, which removes expired records.
    index('idempotency_records_expiry_index').on(table.expiry),
  ],
);

/**
 * Responses to requests with an Idempotency-Key, for 24 hours. No reference to users: the row of an erased user stays, without the response, so
 * that a late retry does not create the user again.
 */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    /** A digest of the client and its key. */
    digest: text().primaryKey(),
    /** A digest of the request's body; null once the user has been erased. */
    fingerprint: text(),
    userId: bigint('user_id', { mode: 'number' }).notNull(),
    /** The user as it was created; null once erased. */
    answer: jsonb(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    index('idempotency_keys_user_id_index').on(table.userId),
    index('idempotency_keys_created_at_index').on(table.createdAt),
  ],
);

/** Audited actions on personal data. */
export const auditActions = ['user.deleted', 'user.exported'] as const;
/** The actor: the user, an administrator, or an API key of either. */
export const auditActors = ['self', 'admin', 'api-key'] as const;

/** The audit log, append-only. It holds ids only, which are pseudonymous once the user is erased. */
export const auditRecords = pgTable(
  'audit_records',
  {
    id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
    action: text({ enum: auditActions }).notNull(),
    /** Id of the user whose data it is. */
    subjectId: bigint('subject_id', { mode: 'number' }).notNull(),
    actor: text({ enum: auditActors }).notNull(),
    /** Id of the user who did it, or whose API key did. */
    actorId: bigint('actor_id', { mode: 'number' }).notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    index('audit_records_subject_id_index').on(table.subjectId, table.id),
    check('audit_records_action_check', sql`${table.action} in ('user.deleted', 'user.exported')`),
    check('audit_records_actor_check', sql`${table.actor} in ('self', 'admin', 'api-key')`),
  ],
);
