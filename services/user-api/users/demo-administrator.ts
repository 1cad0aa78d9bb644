import postgres from 'postgres';
import { ARGON2ID_COST, hashArgon2id, verifyArgon2id } from '../auth/passwords/password-hasher.ts';
import { DEMO_ADMINISTRATOR_ID } from './demo-data.ts';

interface Found {
  readonly email: string;
  readonly role: string | null;
  readonly passwordHash: string | null;
}

/**
 * Makes a demo user an administrator with this password, unless that user has an account already, which stays unchanged.
 *
 * @param databaseUrl - the writer, logged in as the owner of the tables; it must have been migrated.
 * @returns the email address of the login; null when the user does not exist or has another password.
 */
export async function ensureDemoAdministrator(
  databaseUrl: string,
  password: string,
): Promise<string | null> {
  const client = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const [found] = await client<Found[]>`
      select users.email, accounts.role, accounts.password_hash as "passwordHash"
      from users left join accounts on accounts.user_id = users.id
      where users.id = ${DEMO_ADMINISTRATOR_ID}
    `;
    if (found === undefined) return null;
    if (found.role !== null) {
      const isKnown =
        found.role === 'admin' &&
        found.passwordHash !== null &&
        (await verifyArgon2id(password, found.passwordHash));
      return isKnown ? found.email : null;
    }
    const passwordHash = await hashArgon2id(password, ARGON2ID_COST);
    await client`
      insert into accounts (user_id, role, password_hash)
      values (${DEMO_ADMINISTRATOR_ID}, 'admin', ${passwordHash})
      on conflict (user_id) do nothing
    `;
    return found.email;
  } finally {
    await client.end({ timeout: 1 });
  }
}
