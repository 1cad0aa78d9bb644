import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  integer,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import { defaultRole, roles } from '../../contracts/authentication.ts';
import { EMAIL_MAXIMUM_LENGTH } from '../../contracts/email-address.ts';
import { users } from '../database/schema.ts';

const instant = (name: string) =>
  timestamp(name, { withTimezone: true, precision: 3, mode: 'string' });

/**
 * What a user may do and logs in with. Apart from `users`, so that no query of a user can bring a password hash along, and so that
 * programs that read users need not be allowed to read these. A user without a row has the role `user` and no password.
 */
export const accounts = pgTable(
  'accounts',
  {
    userId: bigint('user_id', { mode: 'number' })
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: text({ enum: roles }).notNull().default(defaultRole),
    /** A PHC string; null while there is no password. */
    passwordHash: text('password_hash'),
    /** How often all sessions have been ended: what was begun under a lower number counts no more. */
    generation: integer().notNull().default(0),
  },
  (table) => [
    check('accounts_role_check', sql`${table.role} in ('user', 'admin')`),
    index('accounts_admin_index').on(table.userId).where(sql`${table.role} = 'admin'`),
  ],
);

/** What a revocation ends. */
export const revocationKinds = ['user', 'session', 'api-key'] as const;

/**
 * What has been ended before its time, for processes to learn of it: they hold tokens and keys that they found good. Rows matter until
 * the last such token has expired, and are removed after that. No reference to users: those of an erased user must stay.
 */
export const revocations = pgTable(
  'revocations',
  {
    id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
    kind: text({ enum: revocationKinds }).notNull(),
    /** Id of the user, the session or the API key. */
    subject: text().notNull(),
    /** With `user`: the lowest generation that is still good. */
    generation: integer(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    index('revocations_created_at_index').on(table.createdAt),
    check(
      'revocations_kind_check',
      sql`${table.kind} in ('session', 'api-key') or (${table.kind} = 'user' and ${table.generation} is not null)`,
    ),
  ],
);

/**
 * Changes of email addresses, with the address before, for as long as it takes to tell its owner; maintenance removes them after that.
 */
export const emailChanges = pgTable(
  'email_changes',
  {
    id: uuid().primaryKey(),
    userId: bigint('user_id', { mode: 'number' })
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    formerEmail: varchar('former_email', { length: EMAIL_MAXIMUM_LENGTH }).notNull(),
    changedAt: instant('changed_at').notNull().defaultNow(),
  },
  (table) => [
    index('email_changes_user_id_index').on(table.userId),
    index('email_changes_changed_at_index').on(table.changedAt),
  ],
);

/**
 * Requests for a new password. One is written for every address that is asked for, known or not, so that both take as long.
 * The secret of the link is made by the worker that sends it; here is its hash, from then on.
 */
export const passwordResets = pgTable(
  'password_resets',
  {
    id: uuid().primaryKey(),
    /** Whose password; null where nobody is to get an email. */
    userId: bigint('user_id', { mode: 'number' }).references(() => users.id, {
      onDelete: 'cascade',
    }),
    requestedAt: instant('requested_at').notNull().defaultNow(),
    /** SHA-256 of the secret, in base64url; null until it has been sent. */
    tokenHash: text('token_hash'),
    /** Null until it has been sent. */
    expiresAt: instant('expires_at'),
  },
  (table) => [
    uniqueIndex('password_resets_token_hash_key').on(table.tokenHash),
    index('password_resets_user_id_index').on(table.userId, table.requestedAt),
    index('password_resets_requested_at_index').on(table.requestedAt),
  ],
);
