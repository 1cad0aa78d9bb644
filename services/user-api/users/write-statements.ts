import type { Sql } from 'postgres';
import { currentTraceParent } from '../../contracts/tracing/trace-context.ts';
import type { UpdateUserBody, UserFields } from '../../contracts/users.ts';
import type { auditActors } from '../database/schema.ts';
import { runPrepared } from '../database/statements.ts';
import type { VersionCondition } from '../http/request-headers.ts';
import { FIRST_RELAY_DELAY_SECONDS } from '../queue/outbox.ts';
import { SETTABLE_NAMES, settableColumns } from './user-columns.ts';
import { USER_COLUMNS, type UserRow, userColumns } from './user-row.ts';

/** The prepared statements that change users. Each is one transaction and one round trip. */

export interface NewUser extends Readonly<UserFields> {
  /** A PHC string; null for an account without a password. */
  readonly passwordHash: string | null;
  /** Id of the event `user.created`, a new UUID. */
  readonly eventId: string;
  /** The trace that the event carries. */
  readonly traceParent: string | null;
}

/** An Idempotency-Key with its request. */
export interface CreationKey {
  /** Of the caller and the key. */
  readonly digest: string;
  /** Of the request's body. */
  readonly fingerprint: string;
}

const FIRST_COLUMN = 5;
const DIGEST = `$${FIRST_COLUMN + settableColumns.length}`;
const FINGERPRINT = `$${FIRST_COLUMN + settableColumns.length + 1}`;

/**
 * The statement of creations as text, built once, because it is the most frequent write. With `remembers`, the response is stored under a key.
 *
 * Parameters: 1 password hash or null, 2 id of the event, 3 trace or null, 4 seconds until a relay may take the event; the settable columns;
 * with a
 * key, digest and fingerprint.
 */
const insertionText = (remembers: boolean) => `
  with turn (mine) as materialized (
    values (${remembers ? `pg_try_advisory_xact_lock(hashtextextended(${DIGEST}, 0))` : 'true'})
  ), created as (
    insert into users (${SETTABLE_NAMES})
    select ${settableColumns.map(({ type }, index) => `$${FIRST_COLUMN + index}::${type}`).join(', ')} from turn where mine
    returning *
  ), account as (
    insert into accounts (user_id, password_hash)
    select id, $1::text from created where $1::text is not null
  ), event as (
    insert into outbox (id, type, data, traceparent, created_at, available_at)
    select $2::uuid, 'user.created', jsonb_build_object('userId', id), $3::text,
      created_at, created_at + make_interval(secs => $4)
    from created
  )${
    remembers
      ? `, kept as (
    insert into idempotency_keys (digest, fingerprint, user_id, answer)
    select ${DIGEST}, ${FINGERPRINT}, created.id, to_jsonb(answer)
    from created cross join lateral (select ${USER_COLUMNS}) as answer
  )`
      : ''
  }
  select ${USER_COLUMNS} from created
`;
const INSERTION = insertionText(false);
const REMEMBERED_INSERTION = insertionText(true);

/**
 * Creates a user with an account and the event `user.created`. With a key, the response is stored; no row comes back while another request
 * with the
 * same key is in flight, and the table's unique index refuses a used one.
 */
export function insertUser(client: Sql, user: NewUser, key: CreationKey | null) {
  const parameters = [
    user.passwordHash,
    user.eventId,
    user.traceParent,
    FIRST_RELAY_DELAY_SECONDS,
    ...settableColumns.map(({ field }) => user[field]),
  ];
  const statement =
    key === null
      ? { text: INSERTION, parameters }
      : { text: REMEMBERED_INSERTION, parameters: [...parameters, key.digest, key.fingerprint] };
  return runPrepared<UserRow>(client, statement);
}

export interface UpdatedRow extends UserRow {
  /** The account's new generation, when the change has revoked the user's sessions. */
  readonly generation: number | null;
}

const versionsText = (versions: readonly number[]) => `{${versions.join(',')}}`;

const versionIsAllowed = (client: Sql, condition: VersionCondition | null) => {
  if (condition === null) return client`true`;
  const { allowed, excluded } = condition;
  const isExcluded = client`version = any(${versionsText(excluded)}::text::int[])`;
  if (allowed === null) return client`not ${isExcluded}`;
  return client`version = any(${versionsText(allowed)}::text::int[]) and not ${isExcluded}`;
};

/**
 * Changes a user, and increments the version. A new status revokes all sessions, and makes processes load the owner of an API key again. A new
 * email
 * address invalidates password resets to the former one, which gets a notice through the outbox. The row is locked first, so that the former
 * values
 * are those that this change replaces.
 */
export function updateUser(
  client: Sql,
  id: number,
  changes: UpdateUserBody,
  condition: VersionCondition | null,
) {
  const assignments = settableColumns.map(({ field, name, type }) => {
    const column = client(name);
    return client`${column} = coalesce(${changes[field] ?? null}::${client.unsafe(type)}, ${column}),`;
  });
  return client<UpdatedRow[]>`
    with former as (
      select id as user_id, email as former_email, status as former_status
      from users where id = ${id} for no key update
    ), changed as (
      update users set
        ${assignments} updated_at = now(), version = version + 1
      from former
      where id = user_id and ${versionIsAllowed(client, condition)}
      returning users.*, former_email, former_status
    ), ended as (
      insert into accounts (user_id, generation)
      select id, 1 from changed where status <> former_status
      on conflict (user_id) do update set generation = accounts.generation + 1
      returning user_id, generation
    ), revoked as (
      insert into revocations (kind, subject, generation)
      select 'user', user_id::text, generation from ended
    ), links as (
      delete from password_resets
      where user_id = (select id from changed) and ${changes.email ?? null}::text is not null
    ), email_change as (
      insert into email_changes (id, user_id, former_email)
      select gen_random_uuid(), id, former_email from changed
      where lower(former_email) <> lower(email)
      returning id
    ), event as (
      insert into outbox (id, type, data, traceparent, available_at)
      select gen_random_uuid(), 'user.email-changed', jsonb_build_object('emailChangeId', id),
        ${currentTraceParent()}::text, now()
      from email_change
    )
    select ${userColumns(client)}, (select generation from ended) as generation from changed
  `;
}

export interface AuditedActor {
  readonly kind: (typeof auditActors)[number];
  /** The user who acts, or whose API key does. */
  readonly userId: number;
}

/**
 * Erases a user: the row and all that references it (account, password resets, API keys), and the stored response of the creation. Publishes
 * the
 * revocation and writes an audit record. Events in the outbox hold only ids.
 */
export function deleteUser(
  client: Sql,
  id: number,
  condition: VersionCondition | null,
  { actor, erasedGeneration }: { readonly actor: AuditedActor; readonly erasedGeneration: number },
) {
  return client<{ version: number }[]>`
    with deleted as (
      delete from users where id = ${id} and ${versionIsAllowed(client, condition)}
      returning id, version
    ), forgotten as (
      update idempotency_keys set fingerprint = null, answer = null
      where user_id = (select id from deleted)
    ), revoked as (
      insert into revocations (kind, subject, generation)
      select 'user', id::text, ${erasedGeneration}::int from deleted
    ), recorded as (
      insert into audit_records (action, subject_id, actor, actor_id)
      select 'user.deleted', id, ${actor.kind}, ${actor.userId}::bigint from deleted
    )
    select version from deleted
  `;
}
