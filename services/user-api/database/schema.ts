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
import {
  defaultUserStatus,
  EMAIL_MAXIMUM_LENGTH,
  NAME_MAXIMUM_LENGTH,
  userStatuses,
} from '../../contracts/users.ts';

/** Milliseconds are what a JavaScript date and the API's timestamps hold; more would not survive a round trip. */
const instant = (name: string) =>
  timestamp(name, { withTimezone: true, precision: 3, mode: 'string' });

/** The name of the index that keeps emails unique; the repository tells a duplicate by it. */
export const EMAIL_UNIQUE_INDEX = 'users_email_key';

/** People. Each index serves a query of `users/`: a duplicate check, and lists by status in order of id. */
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
    index('users_status_id_index').on(table.status, table.id),
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
  (table) => [primaryKey({ columns: [table.consumer, table.idempotencyKey] })],
);
