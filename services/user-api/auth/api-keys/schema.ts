import { bigint, index, pgTable, text, timestamp, uniqueIndex, varchar } from 'drizzle-orm/pg-core';
import { API_KEY_NAME_MAXIMUM_LENGTH, apiKeyScopeNames } from '../../../contracts/api-keys.ts';
import { users } from '../../database/schema.ts';

const instant = (name: string) =>
  timestamp(name, { withTimezone: true, precision: 3, mode: 'string' });

/** API keys, stored by hash. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
    userId: bigint('user_id', { mode: 'number' })
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: varchar({ length: API_KEY_NAME_MAXIMUM_LENGTH }).notNull(),
    prefix: text().notNull(),
    /** SHA-256 of the whole key, in base64url. */
    keyHash: text('key_hash').notNull(),
    scopes: text({ enum: apiKeyScopeNames }).array().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    expiresAt: instant('expires_at').notNull(),
    lastUsedAt: instant('last_used_at'),
    revokedAt: instant('revoked_at'),
  },
  (table) => [
    uniqueIndex('api_keys_key_hash_key').on(table.keyHash),
    index('api_keys_user_id_index').on(table.userId, table.id),
    index('api_keys_expires_at_index').on(table.expiresAt),
  ],
);
