import type { Sql } from 'postgres';
import { currentTraceParent } from '../../../contracts/tracing/trace-context.ts';
import { FIRST_RELAY_DELAY_SECONDS } from '../../queue/outbox.ts';
import {
  type RevokedRow,
  revokedColumns,
  revokeEverything,
} from '../accounts/account-statements.ts';

/** Password reset emails to one user in an hour at most, so that this service cannot flood a mailbox. */
export const RESETS_MAXIMUM_PER_HOUR = 3;

export interface PasswordResetRequest {
  /** A new UUID. */
  readonly passwordResetId: string;
  /** A new UUID, the event's id. */
  readonly eventId: string;
  readonly email: string;
}

/** Writes a request and its event, for an unknown address too: the same statement with as many rows, so that timing reveals nothing. */
export function insertPasswordReset(client: Sql, request: PasswordResetRequest) {
  const { email, eventId, passwordResetId } = request;
  return client<{ requestedAt: string }[]>`
    with receiver as (
      select users.id from users
      where lower(users.email) = lower(${email}) and users.status = 'active' and (
        select count(*) from password_resets
        where user_id = users.id and requested_at > now() - interval '1 hour'
      ) < ${RESETS_MAXIMUM_PER_HOUR}
    ), reset as (
      insert into password_resets (id, user_id)
      values (${passwordResetId}, (select id from receiver))
      returning requested_at
    ), event as (
      insert into outbox (id, type, data, traceparent, created_at, available_at)
      select ${eventId}::uuid, 'user.password-reset-requested',
        jsonb_build_object('passwordResetId', ${passwordResetId}::text), ${currentTraceParent()},
        requested_at, requested_at + make_interval(secs => ${FIRST_RELAY_DELAY_SECONDS})
      from reset
    )
    select requested_at as "requestedAt" from reset
  `;
}

export interface ResetOwnerRow {
  readonly userId: number;
  readonly email: string;
  readonly name: string;
}

export function selectResetOwner(client: Sql, tokenHash: string) {
  return client<ResetOwnerRow[]>`
    select users.id::float8 as "userId", users.email, users.name
    from password_resets join users on users.id = password_resets.user_id
    where password_resets.token_hash = ${tokenHash} and password_resets.expires_at > now()
  `;
}

export interface UsedResetRow extends RevokedRow {
  readonly userId: number;
}

/** Uses a secret up: sets the password, revokes everything, and invalidates the user's other resets. Of two concurrent uses one gets a row. */
export function usePasswordReset(
  client: Sql,
  tokenHash: string,
  passwordHash: string,
  keepApiKeys: boolean,
) {
  return client<UsedResetRow[]>`
    with used as (
      delete from password_resets where token_hash = ${tokenHash} and expires_at > now()
      returning user_id
    ), account as (
      insert into accounts (user_id, password_hash, generation)
      select user_id, ${passwordHash}, 1 from used
      on conflict (user_id) do update
        set password_hash = excluded.password_hash, generation = accounts.generation + 1
      returning user_id, generation
    ), others as (
      delete from password_resets
      where user_id = (select user_id from used) and token_hash is distinct from ${tokenHash}
    ), ${revokeEverything(client, keepApiKeys)}
    select user_id::float8 as "userId", ${revokedColumns(client)} from account
  `;
}
