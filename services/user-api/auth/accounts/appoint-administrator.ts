import { randomUUID } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import type { DatabaseConnectionOptions } from '../../../contracts/database/connection-options.ts';
import { normalEmailAddress } from '../../../contracts/email-address.ts';
import { revokeEverything } from './account-statements.ts';

const CONNECT_TIMEOUT_SECONDS = 10;

/** No active user has the address. */
export class NobodyToAppoint extends Error {
  override readonly name = 'NobodyToAppoint';
}

function appoint(client: Sql, email: string) {
  const [passwordResetId, eventId] = [randomUUID(), randomUUID()];
  return client<{ userId: number }[]>`
    with person as (
      select id from users where lower(email) = lower(${normalEmailAddress(email)}) and status = 'active'
      for no key update
    ), account as (
      insert into accounts (user_id, role, generation) select id, 'admin', 1 from person
      on conflict (user_id) do update
        set role = 'admin', password_hash = null, generation = accounts.generation + 1
      returning user_id, generation
    ), ${revokeEverything(client, false)}, reset as (
      insert into password_resets (id, user_id) select ${passwordResetId}::uuid, id from person
    ), event as (
      insert into outbox (id, type, data, available_at)
      select ${eventId}::uuid, 'user.password-reset-requested',
        jsonb_build_object('passwordResetId', ${passwordResetId}::text), now()
      from person
    )
    select user_id::float8 as "userId" from account
  `;
}

/**
 * Makes a user an administrator, for an operator with access to the database: the first one, or one when all others have lost access.
 * No environment variable does it, because registering an address does not prove it. For the same reason the user's password, sessions and API
 * keys are revoked, and a password reset goes to the mailbox.
 *
 * @param databaseUrl - the writer, with the rights of the API's role at least.
 * @returns the user's id.
 * @throws {@link NobodyToAppoint}
 */
export async function appointAdministrator(
  databaseUrl: string,
  email: string,
  connection: DatabaseConnectionOptions = {},
): Promise<number> {
  const client = postgres(databaseUrl, {
    ...connection,
    max: 1,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    connection: { application_name: 'headroom-appoint-administrator' },
    onnotice: () => {},
  });
  try {
    const [appointed] = await appoint(client, email);
    if (appointed === undefined) {
      throw new NobodyToAppoint('No active user has this email address. Create the user first.');
    }
    return appointed.userId;
  } finally {
    await client.end({ timeout: 1 });
  }
}
