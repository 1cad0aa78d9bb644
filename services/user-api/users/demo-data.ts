import postgres from 'postgres';
import { createUserBody, type UserFields, type UserStatus } from '../../contracts/users.ts';
import { SETTABLE_FIELDS, SETTABLE_NAMES, SETTABLE_RECORD } from './user-columns.ts';

/** Ids 1 to this are taken by the demo users. */
export const DEMO_USER_COUNT = 1_000;

export const DEMO_ADMINISTRATOR_ID = 1;

/** Lengths without a common divisor (29 and 41): full names repeat only after 1,189 users. */
const GIVEN_NAMES =
  'Ada Alan Annie Barbara Claude Dorothy Edsger Evelyn Frances Grace Hedy Ivan Jean Karen Katherine Ken Leslie Lotfi Lynn Margaret Mary Niklaus Radia Ritchie Shafi Sophie Tim Tony Vint'.split(
    ' ',
  );
const FAMILY_NAMES =
  'Abbott Almeida Bauer Brandt Castillo Chandra Dubois Eriksen Fischer Fontaine Garcia Haddad Hansen Ito Jansen Kaplan Keller Kim Kowalski Larsen Lopez Mbeki Meyer Moreau Nakamura Novak Okafor Olsen Patel Petrov Quinn Rossi Santos Schmidt Silva Suzuki Tanaka Varga Weber Yilmaz Zhang'.split(
    ' ',
  );
const STATUS_CYCLE = 20;
/** The first user's creation; the others follow an hour apart. Fixed, so that every machine has the same data. */
const FIRST_CREATED_AT = Date.UTC(2025, 0, 1);
const HOUR_MILLISECONDS = 60 * 60 * 1_000;

type DemoUser = UserFields & { readonly id: number; readonly createdAt: string };

function demoStatus(id: number): UserStatus {
  const place = id % STATUS_CYCLE;
  if (place === 7 || place === 13) return 'inactive';
  return place === 19 ? 'suspended' : 'active';
}

export function demoCreatedAt(id: number): string {
  return new Date(FIRST_CREATED_AT + id * HOUR_MILLISECONDS).toISOString();
}

/** Deterministic. Emails are in example.com, which RFC 2606 reserves. */
function demoUser(id: number): DemoUser {
  const given = GIVEN_NAMES[id % GIVEN_NAMES.length] ?? '';
  const family = FAMILY_NAMES[id % FAMILY_NAMES.length] ?? '';
  const { password: _, ...fields } = createUserBody.parse({
    name: `${given} ${family}`,
    email: `${given}.${family}@example.com`.toLowerCase(),
    status: demoStatus(id),
  });
  return { id, ...fields, createdAt: demoCreatedAt(id) };
}

/**
 * Inserts the demo users, ids 1 to {@link DEMO_USER_COUNT}, into an empty table. They get no welcome email.
 *
 * @param databaseUrl - the writer, logged in as the owner of the tables; it must have been migrated.
 * @returns whether they were inserted.
 */
export async function insertDemoUsers(databaseUrl: string): Promise<boolean> {
  const client = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    return await client.begin(async (transaction) => {
      const sql = (text: string) => transaction.unsafe(text);
      // Two concurrent first starts must not both find the table empty.
      await transaction`lock table users in exclusive mode`;
      const [found] = await transaction`select from users limit 1`;
      if (found !== undefined) return false;
      const demoUsers = Array.from({ length: DEMO_USER_COUNT }, (_, index) => demoUser(index + 1));
      await transaction`
        insert into users (id, ${sql(SETTABLE_NAMES)}, created_at, updated_at)
        overriding system value
        select id, ${sql(SETTABLE_FIELDS)}, "createdAt", "createdAt"
        from jsonb_to_recordset(${transaction.json(demoUsers)})
          as demo (id bigint, ${sql(SETTABLE_RECORD)}, "createdAt" timestamptz)
      `;
      await transaction`select setval(pg_get_serial_sequence('users', 'id'), ${DEMO_USER_COUNT})`;
      return true;
    });
  } finally {
    await client.end({ timeout: 1 });
  }
}
