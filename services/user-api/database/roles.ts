import type { Sql, TransactionSql } from 'postgres';

/** The login role of the user API. */
export const API_ROLE = 'headroom_api';
/** The login role of the email worker. */
export const EMAIL_WORKER_ROLE = 'headroom_email_worker';
/** The login role of queue workers that use no table but the records of handled events. */
export const QUEUE_WORKER_ROLE = 'headroom_queue_worker';
/** The login role of maintenance: it reads the expiry of rows, not their content. */
export const MAINTENANCE_ROLE = 'headroom_maintenance';

/** Every role that a program logs in as. */
export const programRoles = [API_ROLE, EMAIL_WORKER_ROLE, QUEUE_WORKER_ROLE, MAINTENANCE_ROLE];

/** Least privilege: no program owns a table, so that none can alter or drop one. Identity columns need no grant on their sequences. */
const grants = `
grant usage on schema public to ${programRoles.join(', ')};
grant select, insert, update, delete on users, outbox to ${API_ROLE};
grant select, insert, update, delete on accounts, revocations, password_resets, email_changes, api_keys to ${API_ROLE};
grant select, insert, update, delete on idempotency_keys to ${API_ROLE};
grant select, insert on audit_records to ${API_ROLE};
grant select (id, email) on users to ${EMAIL_WORKER_ROLE};
grant select (id, user_id, requested_at), update (token_hash, expires_at) on password_resets to ${EMAIL_WORKER_ROLE};
grant select on email_changes to ${EMAIL_WORKER_ROLE};
grant select (id, user_id, prefix, scopes, expires_at) on api_keys to ${EMAIL_WORKER_ROLE};
grant select, insert, update, delete on idempotency_records to ${EMAIL_WORKER_ROLE}, ${QUEUE_WORKER_ROLE};
grant select (consumer, idempotency_key, expiry), delete on idempotency_records to ${MAINTENANCE_ROLE};
grant select (digest, created_at), delete on idempotency_keys to ${MAINTENANCE_ROLE};
`;

/**
 * Roles belong to the server and the migration lock to a database, so that two databases may create a role at once: the second `create role`
 * fails with duplicate_object, or with unique_violation in the catalogue's index.
 */
const createRole = (role: string) => `
do $$ begin
  create role ${role} login;
exception when duplicate_object or unique_violation then null;
end $$;
`;

/** On RDS, `rds_iam` lets a role log in with a token; without it the roles cannot log in until they have a password. */
const allowIamLogin = (role: string) => `
do $$ begin
  if exists (select from pg_roles where rolname = 'rds_iam')
    and not pg_has_role('${role}', 'rds_iam', 'member') then
    grant rds_iam to ${role};
  end if;
end $$;
`;

/**
 * Creates missing roles of the programs, and grants their privileges. Idempotent; sets no password.
 *
 * @returns false, with nothing changed, when roles are missing and this user may not create them.
 */
export async function grantRoles(client: Sql | TransactionSql): Promise<boolean> {
  const [state] = await client<{ existing: number; mayCreate: boolean }[]>`
    select
      (select count(*)::int from pg_roles where rolname in ${client(programRoles)}) as existing,
      (select rolsuper or rolcreaterole from pg_roles where rolname = current_user) as "mayCreate"
  `;
  if (state === undefined) return false;
  if (state.existing < programRoles.length && !state.mayCreate) return false;
  if (state.mayCreate) {
    for (const role of programRoles) {
      await client.unsafe(createRole(role));
      await client.unsafe(allowIamLogin(role));
    }
  }
  await client.unsafe(grants);
  return true;
}
