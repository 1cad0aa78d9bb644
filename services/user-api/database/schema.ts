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

/** Milliseconds are what a JavaScript date and the API's timestamps hold; more would not survive a round trip. */
const instant = (name: string) =>
  timestamp(name, { withTimezone: true, precision: 3, mode: 'string' });

/** The name of the index that keeps emails unique; the repository tells a duplicate by it. */
export const EMAIL_UNIQUE_INDEX = 'users_email_key';

/** What the triggers of migration 0006 call the rule that an active administrator is left; errors are told by it. */
export const ACTIVE_ADMINISTRATOR = 'active_administrator';

/**
 * People. Each index serves a query of `users/`: the duplicate check, and lists in order of creation or of name, of all users and of those with a
 * status. Names are ordered by the bytes of their lower case (collation "C"), because that is the one order in which the names with a
 * prefix stand together, and which no upgrade of the system's collations changes.
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
 * Events written in the transaction of the change they tell of, until they have been sent
 * (https://microservices.io/patterns/data/transactional-outbox.html).
 */
export const outbox = pgTable(
  'outbox',
  {
    /** The event's id, too. */
    id: uuid().primaryKey(),
    type: text().notNull(),
    data: jsonb().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** The trace of the request that wrote it, as its `traceparent`; null when it had none. */
    traceparent: text(),
    /** When the relay may take it next: a while after it was written, or after a relay took it and did not delete it. */
    availableAt: instant('available_at').notNull(),
  },
  (table) => [index('outbox_available_at_index').on(table.availableAt)],
);

/**
 * What consumers of events have begun and done, so that an event delivered twice acts once. The columns are those of a
 * record of Powertools for AWS Lambda's idempotency.
 */
export const idempotencyRecords = pgTable(
  'idempotency_records',
  {
    /** Which consumer: two consumers of one event don't see each other's records. */
    consumer: text().notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    status: text({ enum: ['INPROGRESS', 'COMPLETED'] }).notNull(),
    /** Milliseconds since 1970 after which an attempt that said nothing more counts as dead. */
    inProgressExpiry: bigint('in_progress_expiry', { mode: 'number' }),
    /** Seconds since 1970 after which the record no longer counts. */
    expiry: bigint({ mode: 'number' }).notNull(),
    responseData: jsonb('response_data'),
    payloadHash: text('payload_hash'),
  },
  (table) => [
    primaryKey({ columns: [table.consumer, table.idempotencyKey] }),
    // By which maintenance finds those that no longer count.
    index('idempotency_records_expiry_index').on(table.expiry),
  ],
);

/**
 * Answers to requests with an Idempotency-Key, for 24 hours. No reference to users: the row of an erased user stays, without the answer, so
 * that a late repetition does not create the user again.
 */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    /** A digest of who sent the key, and of the key. */
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

/** What is done with personal data that must be accounted for. */
export const auditActions = ['user.deleted', 'user.exported'] as const;
/** By whom: the person, an administrator, or an API key of either. */
export const auditActors = ['self', 'admin', 'api-key'] as const;

/**
 * Who did what to whose data, and when: in ids alone, which stand for nobody once the user is erased. It is only added to.
 */
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
