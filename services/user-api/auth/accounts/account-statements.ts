import type { Sql } from 'postgres';
import type { Role } from '../../../contracts/authentication.ts';
import type { UserStatus } from '../../../contracts/users.ts';

/** The statements of accounts. Each is one round trip and one transaction. */

export interface AccountRow {
  readonly userId: number;
  readonly email: string;
  readonly name: string;
  readonly status: UserStatus;
  readonly role: Role;
  readonly passwordHash: string | null;
  readonly generation: number;
}

/** Exact below 2^53, as ids are; postgres.js gives a bigint as text. */
const columns = (client: Sql) => client`
  users.id::float8 as "userId", users.email, users.name, users.status,
  coalesce(accounts.role, 'user') as role, accounts.password_hash as "passwordHash",
  coalesce(accounts.generation, 0) as generation
`;

export function selectAccountByEmail(client: Sql, email: string) {
  return client<AccountRow[]>`
    select ${columns(client)} from users left join accounts on accounts.user_id = users.id
    where lower(users.email) = lower(${email})
  `;
}

export function selectAccountById(client: Sql, userId: number) {
  return client<AccountRow[]>`
    select ${columns(client)} from users left join accounts on accounts.user_id = users.id
    where users.id = ${userId}
  `;
}

export function updateOutdatedHash(client: Sql, userId: number, from: string, to: string) {
  return client`
    update accounts set password_hash = ${to} where user_id = ${userId} and password_hash = ${from}
  `;
}

export interface PasswordChange {
  /** The hash that the account must still have. */
  readonly from: string;
  readonly to: string;
  readonly keepApiKeys: boolean;
}

export interface RevokedRow {
  /** The account's new generation: sessions of earlier ones are revoked, and API keys are loaded again. */
  readonly generation: number;
  readonly revokedApiKeys: number;
}

/** Two common table expressions: record the revocation of `account`, and revoke its API keys unless they are kept. */
export const revokeEverything = (client: Sql, keepApiKeys: boolean) => client`
  revoked as (
    insert into revocations (kind, subject, generation)
    select 'user', user_id::text, generation from account
  ), keys as (
    update api_keys set revoked_at = now()
    where user_id = (select user_id from account) and revoked_at is null and not ${keepApiKeys}::boolean
    returning id
  )
`;

export const revokedColumns = (client: Sql) => client`
  generation, (select count(*)::int from keys) as "revokedApiKeys"
`;

/** Sets a new password where `from` is still the hash, revokes everything, and invalidates password resets. */
export function changePasswordHash(
  client: Sql,
  userId: number,
  { from, to, keepApiKeys }: PasswordChange,
) {
  return client<RevokedRow[]>`
    with account as (
      update accounts set password_hash = ${to}, generation = generation + 1
      where user_id = ${userId} and password_hash = ${from}
      returning user_id, generation
    ), ${revokeEverything(client, keepApiKeys)}, resets as (
      delete from password_resets where user_id = (select user_id from account)
    )
    select ${revokedColumns(client)} from account
  `;
}

export function incrementGeneration(client: Sql, userId: number, keepApiKeys: boolean) {
  return client<RevokedRow[]>`
    with account as (
      insert into accounts (user_id, generation) select id, 1 from users where id = ${userId}
      on conflict (user_id) do update set generation = accounts.generation + 1
      returning user_id, generation
    ), ${revokeEverything(client, keepApiKeys)}
    select ${revokedColumns(client)} from account
  `;
}

/** No generation where the user has the role already. */
export type RoleChangeRow = RevokedRow | { readonly generation: null; readonly revokedApiKeys: 0 };

/**
 * Gives a role and increments the generation, because tokens name the role. An administrator's API keys are revoked: they were made to act for
 * an
 * ordinary user. The user's row is locked first, as by suspension and deletion, so that these run one after another.
 */
export function setRole(client: Sql, userId: number, role: Role) {
  return client<RoleChangeRow[]>`
    with target as (
      select id from users where id = ${userId} for no key update
    ), account as (
      insert into accounts (user_id, role, generation)
      select id, ${role}, 1 from target
      where ${role} <> 'user' or exists (select from accounts where user_id = target.id)
      on conflict (user_id) do update
        set role = excluded.role, generation = accounts.generation + 1
        where accounts.role <> excluded.role
      returning user_id, generation
    ), ${revokeEverything(client, role === 'user')}
    select (select generation from account) as generation,
      (select count(*)::int from keys) as "revokedApiKeys"
    from target
  `;
}
