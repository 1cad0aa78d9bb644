import { z } from 'zod';
import { singleLine } from './single-line.ts';
import { expects } from './validation-message.ts';

/**
 * What an API key can be made for. A key never does more than its owner may, and always all that anybody may; scopes open
 * what is between.
 */
export const apiKeyScopes = {
  'users:read-private': 'See email addresses, and export all that is held about a user.',
  'users:write': 'Change users, but not their email addresses.',
  'users:delete': 'Delete users.',
} as const;
export type ApiKeyScope = keyof typeof apiKeyScopes;
export const apiKeyScopeNames = Object.keys(apiKeyScopes) as [ApiKeyScope, ...ApiKeyScope[]];

export const API_KEY_NAME_MAXIMUM_LENGTH = 100;
/** A key that is forgotten should not be good for ever. */
export const API_KEY_MAXIMUM_DAYS = 366;
export const API_KEY_DEFAULT_DAYS = 90;
/** Keys that one user may have at once; more would be a sign of a leak in a program that makes them. */
export const API_KEYS_MAXIMUM_PER_USER = 50;
/** API keys in a list at most, those that have ended included. */
export const API_KEYS_LISTED_MAXIMUM = 200;
/** Longer than a key. */
const API_KEY_TEXT_MAXIMUM_LENGTH = 100;

const scope = z.enum(apiKeyScopeNames, { error: expects(`one of ${apiKeyScopeNames.join(', ')}`) });

/** Body of a request that creates an API key. */
export const createApiKeyBody = z
  .strictObject({
    /** What the key is for, so that its owner knows it in a list. */
    name: singleLine(API_KEY_NAME_MAXIMUM_LENGTH, ['nightly export']),
    scopes: z
      .array(scope, { error: expects('a list of scopes, which may be empty') })
      .max(apiKeyScopeNames.length, { error: 'must not name a scope twice' })
      .refine((names) => new Set(names).size === names.length, {
        error: 'must not name a scope twice',
      })
      .meta({ uniqueItems: true, maxItems: apiKeyScopeNames.length }),
    /** Days until the key ends. */
    expiresInDays: z
      .int({ error: expects('a whole number') })
      .min(1, { error: `must be 1 to ${API_KEY_MAXIMUM_DAYS}` })
      .max(API_KEY_MAXIMUM_DAYS, { error: `must be 1 to ${API_KEY_MAXIMUM_DAYS}` })
      .default(API_KEY_DEFAULT_DAYS),
  })
  .meta({ id: 'CreateApiKey' });
export type CreateApiKeyBody = z.output<typeof createApiKeyBody>;

/** An API key, without what makes it one. */
export const apiKey = z
  .object({
    id: z.int().positive(),
    name: z.string().meta({ maxLength: API_KEY_NAME_MAXIMUM_LENGTH }),
    /** How the key begins, to tell which it is. */
    prefix: z.string().meta({ maxLength: API_KEY_TEXT_MAXIMUM_LENGTH }),
    scopes: z.array(z.enum(apiKeyScopeNames)).meta({ maxItems: apiKeyScopeNames.length }),
    /** RFC 3339 in UTC, with milliseconds, as all times here. */
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    /** Exact to a minute or so, as it is written for many uses at once; null while there was none. */
    lastUsedAt: z.iso.datetime().nullable(),
    /** Null while it has not been revoked. */
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof apiKey>;

/** A new API key: the one time that the key itself is told. */
export const createdApiKey = z
  .object({
    ...apiKey.shape,
    /** Sent as `X-API-Key`. */
    key: z.string().meta({ maxLength: API_KEY_TEXT_MAXIMUM_LENGTH }),
  })
  .meta({ id: 'CreatedApiKey' });
export type CreatedApiKey = z.infer<typeof createdApiKey>;

/** API keys of a user: all that are good, then the newest of those that ended in the last 30 days; 200 at most. */
export const apiKeyList = z
  .object({ data: z.array(apiKey).meta({ maxItems: API_KEYS_LISTED_MAXIMUM }) })
  .meta({ id: 'ApiKeyList' });
export type ApiKeyList = z.infer<typeof apiKeyList>;
