import type { ISql } from 'postgres';
import { z } from 'zod';
import { apiKeyScopeNames } from '../../services/contracts/api-keys.ts';
import { batched } from '../../services/contracts/batching/batcher.ts';
import type { Database } from '../database/database.ts';

/**
 * Two ways to read the content of an email: `find` may miss a row on a connection that outlived a failover; `confirm` may not, because it reads
 * on a connection that has just written. Only `confirm` may decide that there is no recipient.
 */
export interface Lookup<Key, Found> {
  /** @returns null when this connection sees no row. */
  find(key: Key): Promise<Found | null>;
  /** @returns null when there is no row. */
  confirm(key: Key): Promise<Found | null>;
}

/** The content of emails, read from the writer: an event can arrive before the row has reached a reader. */
export interface Lookups {
  /** Users, by their id. Without the name: the creator of the account chose it, and the address need not be theirs. */
  readonly recipients: Lookup<number, Recipient>;
  /** Former addresses of users, by the id of the change; null when the user is deleted or the change is days old. */
  readonly emailChanges: Lookup<string, EmailChangeNotice>;
  /** New API keys and their owners, by the id of the key. Without the key's name: its creator wrote it. */
  readonly apiKeyNotices: Lookup<number, ApiKeyNotice>;
}

const recipient = z.object({ email: z.string() });
export type Recipient = z.infer<typeof recipient>;

const emailChangeNotice = z.object({ formerEmail: z.string() });
export type EmailChangeNotice = z.infer<typeof emailChangeNotice>;

const apiKeyNotice = z.object({
  email: z.string(),
  prefix: z.string(),
  scopes: z.array(z.enum(apiKeyScopeNames)),
  expiresOn: z.iso.date(),
});
export type ApiKeyNotice = z.infer<typeof apiKeyNotice>;

/**
 * Needs `select` on `users (id, email)`, `email_changes` and `api_keys (id, user_id, prefix, scopes, expires_at)`, and what
 * `Database.runConfirmed` needs.
 */
export function createLookups(database: Database): Lookups {
  const runs: Record<keyof Lookup<never, never>, Run> = {
    find: (query) => database.run(query),
    confirm: (query) => database.runConfirmed(query),
  };
  const lookup = <Key, Found>(select: (run: Run, key: Key) => Promise<Found | null>) => ({
    find: (key: Key) => select(runs.find, key),
    confirm: (key: Key) => select(runs.confirm, key),
  });
  return {
    // A batch of messages is mostly of new users: one statement for all of them.
    recipients: {
      find: batched((ids: readonly number[]) => selectRecipients(runs.find, ids)),
      confirm: batched((ids: readonly number[]) => selectRecipients(runs.confirm, ids)),
    },
    emailChanges: lookup(selectEmailChange),
    apiKeyNotices: lookup(selectApiKey),
  };
}

type Run = <Result>(query: (sql: ISql) => Promise<Result>) => Promise<Result>;

const recipientRow = recipient.extend({ id: z.coerce.number() });

async function selectRecipients(run: Run, ids: readonly number[]): Promise<(Recipient | null)[]> {
  const rows = await run(
    (sql) => sql`
      select id, email from users where id = any(${`{${ids.join()}}`}::text::bigint[])`,
  );
  const found = new Map(
    rows.map((row) => {
      const { id, ...user } = recipientRow.parse(row);
      return [id, user];
    }),
  );
  return ids.map((id) => found.get(id) ?? null);
}

async function selectEmailChange(run: Run, id: string): Promise<EmailChangeNotice | null> {
  const [row] = await run(
    (sql) => sql`
      select email_changes.former_email as "formerEmail"
      from email_changes join users on users.id = email_changes.user_id
      where email_changes.id = ${id}`,
  );
  return row === undefined ? null : emailChangeNotice.parse(row);
}

async function selectApiKey(run: Run, id: number): Promise<ApiKeyNotice | null> {
  const [row] = await run(
    (sql) => sql`
      select users.email, api_keys.prefix, to_jsonb(api_keys.scopes) as scopes,
        to_char(api_keys.expires_at at time zone 'UTC', 'YYYY-MM-DD') as "expiresOn"
      from api_keys join users on users.id = api_keys.user_id
      where api_keys.id = ${id}`,
  );
  return row === undefined ? null : apiKeyNotice.parse(row);
}
