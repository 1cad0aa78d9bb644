import type { Sql, TransactionSql } from 'postgres';

/** Who the user API logs in as. */
export const API_ROLE = 'headroom_api';
/** Who the email worker logs in as. */
export const EMAIL_WORKER_ROLE = 'headroom_email_worker';
/** Who maintenance logs in as: it sees which rows are out of date, not what is in them. */
export const MAINTENANCE_ROLE = 'headroom_maintenance';

/**
 * What each program may do, and no more: neither owns a table, so neither can change or drop one. No sequence is named, because
 * an identity column needs no grant on its own.
 */
const grants = `
grant usage on schema public to ${API_ROLE}, ${EMAIL_WORKER_ROLE}, ${MAINTENANCE_ROLE};
grant select, insert, update, delete on users, outbox to ${API_ROLE};
grant select, insert, update, delete on accounts, revocations, password_resets, email_changes, api_keys to ${API_ROLE};
grant select, insert, update, delete on idempotency_keys to ${API_ROLE};
grant select, insert on audit_records to ${API_ROLE};
grant select (id, email) on users to ${EMAIL_WORKER_ROLE};
grant select (id, user_id, requested_at), update (token_hash, expires_at) on password_resets to ${EMAIL_WORKER_ROLE};
grant select on email_changes to ${EMAIL_WORKER_ROLE};
grant select (id, user_id, prefix, scopes, expires_at) on api_keys to ${EMAIL_WORKER_ROLE};
grant select, insert, update, delete on idempotency_records to ${EMAIL_WORKER_ROLE};
grant select (consumer, idempotency_key, expiry), delete on idempotency_records to ${MAINTENANCE_ROLE};
grant select (digest, created_at), delete on idempotency_keys to ${MAINTENANCE_ROLE};
`;

/**
 * Roles belong to the whole server and the migration lock to one database, so two databases may get here at once: the
 * second `create role` finds the first one's (duplicate_object), or meets it in the catalogue's index (unique_violation).
 */
const createRole = (role: string) => `
do $$ begin
  create role ${role} login;
exception when duplicate_object or unique_violation then null;
end $$;
`;

/** On RDS, `rds_iam` is what lets a role log in with a token; without it the roles have no way to log in until given a password. */
const allowIamLogin = (role: string) => `
do $$ begin
  if exists (select from pg_roles where rolname = 'rds_iam')
    and not pg_has_role('${role}', 'rds_iam', 'member') then
    grant rds_iam to ${role};
  end if;
end $$;
`;

/**
 * Creates the programs' roles where they are missing and grants them what they need. Safe to run again. No password is set here.
 *
 * @returns false, with nothing done, when the roles are missing and this user may not create them.
 */
export async function grantRoles(client: Sql | TransactionSql): Promise<boolean> {
  const roles = [API_ROLE, EMAIL_WORKER_ROLE, MAINTENANCE_ROLE];
  const [state] = await client<{ existing: number; mayCreate: boolean }[]>`
    select
      (select count(*)::int from pg_roles where rolname in ${client(roles)}) as existing,
      (select rolsuper or rolcreaterole from pg_roles where rolname = current_user) as "mayCreate"
  `;
  if (state === undefined) return false;
  if (state.existing < roles.length && !state.mayCreate) return false;
  if (state.mayCreate) {
    for (const role of roles) {
      await client.unsafe(createRole(role));
      await client.unsafe(allowIamLogin(role));
    }
  }
  await client.unsafe(grants);
  return true;
}
