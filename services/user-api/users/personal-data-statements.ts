import type { Sql } from 'postgres';
import { PERSONAL_DATA_ENTRIES_MAXIMUM, type PersonalData } from '../../contracts/personal-data.ts';
import { userColumns } from './user-row.ts';
import type { AuditedActor } from './write-statements.ts';

/** The data of a user in the database, with times as PostgreSQL writes them into JSON. */
export type HeldDataRow = Pick<
  PersonalData,
  | 'user'
  | 'account'
  | 'apiKeys'
  | 'passwordResets'
  | 'emailChanges'
  | 'idempotentAnswers'
  | 'auditRecords'
>;

/**
 * The newest rows of a query as a JSON array, oldest first: clients can add to most lists without bound, and an export adds to one itself.
 *
 * @param order - sort field of the rows, in quotes.
 */
const list = (client: Sql, order: ReturnType<typeof client>, query: ReturnType<typeof client>) =>
  client`(
    select coalesce(jsonb_agg(to_jsonb(held) order by ${order}), '[]')
    from (select * from (${query}) as every_row order by ${order} desc limit ${PERSONAL_DATA_ENTRIES_MAXIMUM}) as held
  )`;

/**
 * All data of a user at one moment; and, in the same transaction, an audit record. No row where the user does not exist. The outbox is left
 * out: it
 * holds ids, until they are sent.
 */
export function selectHeldData(client: Sql, id: number, actor: AuditedActor) {
  return client<HeldDataRow[]>`
    with found as (
      select * from users where id = ${id}
    ), recorded as (
      insert into audit_records (action, subject_id, actor, actor_id)
      select 'user.exported', id, ${actor.kind}, ${actor.userId}::bigint from found
      returning action, actor, actor_id, created_at
    )
    select
      (select to_jsonb(held) from (select ${userColumns(client)} from found) as held) as user,
      jsonb_build_object(
        'role', coalesce((select role from accounts where user_id = ${id}), 'user'),
        'hasPassword', exists (select from accounts where user_id = ${id} and password_hash is not null)
      ) as account,
      ${list(
        client,
        client`id`,
        client`
          select id, name, prefix, scopes, created_at as "createdAt", expires_at as "expiresAt",
            last_used_at as "lastUsedAt", revoked_at as "revokedAt"
          from api_keys where user_id = ${id}`,
      )} as "apiKeys",
      ${list(
        client,
        client`"requestedAt"`,
        client`
          select requested_at as "requestedAt", expires_at as "expiresAt"
          from password_resets where user_id = ${id}`,
      )} as "passwordResets",
      ${list(
        client,
        client`"changedAt"`,
        client`
          select former_email as "formerEmail", changed_at as "changedAt"
          from email_changes where user_id = ${id}`,
      )} as "emailChanges",
      ${list(
        client,
        client`"createdAt"`,
        client`
          select created_at as "createdAt", answer
          from idempotency_keys where user_id = ${id}`,
      )} as "idempotentAnswers",
      ${list(
        client,
        client`"createdAt"`,
        client`
          select action, actor, actor_id as "actorId", created_at as "createdAt"
          from audit_records where subject_id = ${id}
          union all
          select action, actor, actor_id, created_at from recorded`,
      )} as "auditRecords"
    from found
  `;
}
