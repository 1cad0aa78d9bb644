import type { Sql } from 'postgres';
import { API_KEYS_MAXIMUM_PER_USER, type ApiKeyScope } from '../../../contracts/api-keys.ts';
import type { Role } from '../../../contracts/authentication.ts';
import { currentTraceParent } from '../../../contracts/tracing/trace-context.ts';
import type { UserStatus } from '../../../contracts/users.ts';

const LISTED_AFTER_END = '30 days';
/** Valid keys come first, so all of them are listed. */
const LISTED_MAXIMUM = 4 * API_KEYS_MAXIMUM_PER_USER;

export interface ApiKeyRow {
  readonly id: number;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

/** Scopes as JSON, because connections here don't know the types of arrays. */
const columns = (client: Sql) => client`
  id::float8 as id, name, prefix, to_jsonb(scopes) as scopes, created_at as "createdAt",
  expires_at as "expiresAt", last_used_at as "lastUsedAt", revoked_at as "revokedAt"
`;

export interface NewApiKey {
  readonly userId: number;
  readonly name: string;
  readonly prefix: string;
  readonly keyHash: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly expiresInDays: number;
}

/**
 * No row where the user has the maximum number of keys, or does not exist. The user's row is locked, so that concurrent creations count each
 * other. The same statement writes the event `user.api-key-created` to the outbox.
 */
export async function insertApiKey(client: Sql, key: NewApiKey): Promise<ApiKeyRow | undefined> {
  return await client.begin(async (transaction) => {
    await transaction`select from users where id = ${key.userId} for no key update`;
    const [row] = await transaction<ApiKeyRow[]>`
      with created as (
        insert into api_keys (user_id, name, prefix, key_hash, scopes, expires_at)
        select users.id, ${key.name}, ${key.prefix}, ${key.keyHash},
          array(select jsonb_array_elements_text(${JSON.stringify(key.scopes)}::text::jsonb)),
          now() + make_interval(days => ${key.expiresInDays})
        from users
        where users.id = ${key.userId} and (
          select count(*) from api_keys
          where user_id = ${key.userId} and revoked_at is null and expires_at > now()
        ) < ${API_KEYS_MAXIMUM_PER_USER}
        returning *
      ), event as (
        insert into outbox (id, type, data, traceparent, available_at)
        select gen_random_uuid(), 'user.api-key-created', jsonb_build_object('apiKeyId', id),
          ${currentTraceParent()}::text, now()
        from created
      )
      select ${columns(client)} from created
    `;
    return row;
  });
}

export function selectApiKeys(client: Sql, userId: number) {
  return client<ApiKeyRow[]>`
    select ${columns(client)} from api_keys
    where user_id = ${userId}
      and least(coalesce(revoked_at, expires_at), expires_at) > now() - ${LISTED_AFTER_END}::text::interval
    order by revoked_at is null and expires_at > now() desc, id desc
    limit ${LISTED_MAXIMUM}
  `;
}

export function revokeApiKey(client: Sql, userId: number, apiKeyId: number) {
  return client<{ id: number }[]>`
    with revoked as (
      update api_keys set revoked_at = now()
      where id = ${apiKeyId} and user_id = ${userId} and revoked_at is null
      returning id
    ), revocation as (
      insert into revocations (kind, subject) select 'api-key', id::text from revoked
    )
    select id::float8 as id from api_keys where id = ${apiKeyId} and user_id = ${userId}
  `;
}

export interface ApiKeyGrantRow {
  readonly apiKeyId: number;
  readonly userId: number;
  readonly role: Role;
  readonly status: UserStatus;
  readonly generation: number;
  readonly scopes: readonly ApiKeyScope[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export function selectApiKeyGrant(client: Sql, keyHash: string) {
  return client<ApiKeyGrantRow[]>`
    select api_keys.id::float8 as "apiKeyId", users.id::float8 as "userId", users.status,
      coalesce(accounts.role, 'user') as role, coalesce(accounts.generation, 0) as generation,
      to_jsonb(api_keys.scopes) as scopes,
      (extract(epoch from api_keys.expires_at) * 1000)::float8 as "expiresAt"
    from api_keys
    join users on users.id = api_keys.user_id
    left join accounts on accounts.user_id = users.id
    where api_keys.key_hash = ${keyHash} and api_keys.revoked_at is null and api_keys.expires_at > now()
  `;
}

/** A use less than a minute after the last one is not written, and rows locked by another process are skipped, which excludes deadlocks. */
export function updateLastUses(client: Sql, apiKeyIds: readonly number[]) {
  return client`
    update api_keys set last_used_at = now()
    where id = any(array(
      select id from api_keys
      where id = any(${`{${apiKeyIds.join(',')}}`}::text::bigint[])
        and (last_used_at is null or last_used_at < now() - interval '1 minute')
      for update skip locked
    ))
  `;
}
