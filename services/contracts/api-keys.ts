import { z } from 'zod';
import { singleLine } from './single-line.ts';
import { expects } from './validation-message.ts';

/** Scopes of API keys: the part of its owner's permissions that a key has beyond anonymous ones. */
export const apiKeyScopes = {
  'users:read-private': 'See email addresses, and export all that is held about a user.',
  'users:write': 'Change users, but not their email addresses.',
  'users:delete': 'Delete users.',
} as const;
export type ApiKeyScope = keyof typeof apiKeyScopes;
export const apiKeyScopeNames = Object.keys(apiKeyScopes) as [ApiKeyScope, ...ApiKeyScope[]];

export const API_KEY_NAME_MAXIMUM_LENGTH = 100;
/** A forgotten key must expire. */
export const API_KEY_MAXIMUM_DAYS = 366;
export const API_KEY_DEFAULT_DAYS = 90;
/** Active keys of one user at most; more would indicate a leak in a program that creates them. */
export const API_KEYS_MAXIMUM_PER_USER = 50;
/** API keys in a list at most, including ended ones. */
export const API_KEYS_LISTED_MAXIMUM = 200;
/** Longer than a key. */
const API_KEY_TEXT_MAXIMUM_LENGTH = 100;

const scope = z.enum(apiKeyScopeNames, { error: expects(`one of ${apiKeyScopeNames.join(', ')}`) });

export const createApiKeyBody = z
  .strictObject({
    /** Shown in lists. */
    name: singleLine(API_KEY_NAME_MAXIMUM_LENGTH, ['nightly export']),
    scopes: z
      .array(scope, { error: expects('a list of scopes, which may be empty') })
      .max(apiKeyScopeNames.length, { error: 'must not name a scope twice' })
      .refine((names) => new Set(names).size === names.length, {
        error: 'must not name a scope twice',
      })
      .meta({ uniqueItems: true, maxItems: apiKeyScopeNames.length }),
    expiresInDays: z
      .int({ error: expects('a whole number') })
      .min(1, { error: `must be 1 to ${API_KEY_MAXIMUM_DAYS}` })
      .max(API_KEY_MAXIMUM_DAYS, { error: `must be 1 to ${API_KEY_MAXIMUM_DAYS}` })
      .default(API_KEY_DEFAULT_DAYS),
  })
  .meta({ id: 'CreateApiKey' });
export type CreateApiKeyBody = z.output<typeof createApiKeyBody>;

/** An API key without its secret. */
export const apiKey = z
  .object({
    id: z.int().positive(),
    name: z.string().meta({ maxLength: API_KEY_NAME_MAXIMUM_LENGTH }),
    /** Identifies the key to its owner. */
    prefix: z.string().meta({ maxLength: API_KEY_TEXT_MAXIMUM_LENGTH }),
    scopes: z.array(z.enum(apiKeyScopeNames)).meta({ maxItems: apiKeyScopeNames.length }),
    /** RFC 3339 in UTC, with milliseconds, as all times here. */
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    /** Exact to about a minute, because uses are written in batches; null for none. */
    lastUsedAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof apiKey>;

/** A new API key, with its secret for this one time. */
export const createdApiKey = z
  .object({
    ...apiKey.shape,
    key: z.string().meta({ maxLength: API_KEY_TEXT_MAXIMUM_LENGTH }),
  })
  .meta({ id: 'CreatedApiKey' });
export type CreatedApiKey = z.infer<typeof createdApiKey>;

/** A user's valid API keys, then the newest of those that ended in the last 30 days; 200 at most. */
export const apiKeyList = z
  .object({ data: z.array(apiKey).meta({ maxItems: API_KEYS_LISTED_MAXIMUM }) })
  .meta({ id: 'ApiKeyList' });
export type ApiKeyList = z.infer<typeof apiKeyList>;
