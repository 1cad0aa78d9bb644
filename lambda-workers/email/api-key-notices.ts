import { z } from 'zod';
import { apiKeyScopeNames } from '../../services/contracts/api-keys.ts';
import type { Database } from '../database/database.ts';
import { createLookup, type Lookup } from './recipients.ts';

const notice = z.object({
  email: z.string(),
  prefix: z.string(),
  scopes: z.array(z.enum(apiKeyScopeNames)),
  expiresOn: z.iso.date(),
});

/** The receiver and the content of a notice about a new API key. The key's name is left out: its creator wrote it. */
export type ApiKeyNotice = z.infer<typeof notice>;

/** Reads new API keys and their owners, by the id of the key; absent when the key, or its owner, is gone. */
export type ApiKeyNotices = Lookup<number, ApiKeyNotice>;

/** Needs `select` on `api_keys (id, user_id, prefix, scopes, expires_at)` and on `users (id, email)`. */
export function createApiKeyNotices(database: Database): ApiKeyNotices {
  return createLookup(database, async (run, apiKeyId) => {
    const [found] = await run(
      (sql) => sql`
          select users.email, api_keys.prefix, to_jsonb(api_keys.scopes) as scopes,
            to_char(api_keys.expires_at at time zone 'UTC', 'YYYY-MM-DD') as "expiresOn"
          from api_keys join users on users.id = api_keys.user_id
          where api_keys.id = ${apiKeyId}
        `,
    );
    return found === undefined ? null : notice.parse(found);
  });
}
