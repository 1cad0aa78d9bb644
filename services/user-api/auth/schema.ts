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
 * Roles and password hashes. Apart from `users`, so that no query of a user returns a hash, and programs that read users need no rights here.
 * A user without a row has the role `user` and no password.
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
    /** Incremented when all sessions are revoked: sessions of lower generations are invalid. */
    generation: integer().notNull().default(0),
  },
  (table) => [
    check('accounts_role_check', sql`${table.role} in ('user', 'admin')`),
    index('accounts_admin_index').on(table.userId).where(sql`${table.role} = 'admin'`),
  ],
);

export const revocationKinds = ['user', 'session', 'api-key'] as const;

/**
 * Revocations, for processes that have cached tokens and keys. Rows are removed after the last such token has expired. No reference to users:
 * rows of erased users must stay.
 */
export const revocations = pgTable(
  'revocations',
  {
    id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
    kind: text({ enum: revocationKinds }).notNull(),
    /** Id of the user, the session or the API key. */
    subject: text().notNull(),
    /** With `user`: the lowest valid generation. */
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

/** Changes of email addresses, kept until the notice to the former address has been sent. */
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
 * Password resets. Every request writes one, for unknown addresses too, so that both take as long. The worker that sends the email makes the
 * secret and stores its hash.
 */
export const passwordResets = pgTable(
  'password_resets',
  {
    id: uuid().primaryKey(),
    /** Null for an unknown address. */
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
