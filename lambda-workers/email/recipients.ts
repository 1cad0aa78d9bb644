import { z } from 'zod';
import { gather } from '../../services/contracts/gathering/gather.ts';
import type { Database } from '../database/database.ts';

/** What an email needs to know of a user. */
const recipient = z.object({ name: z.string(), email: z.string() });
export type Recipient = z.infer<typeof recipient>;

/** Reads users that emails go to. */
export interface Recipients {
  /** @returns the user, or null when there is none (any more). */
  find(userId: number): Promise<Recipient | null>;
}

/**
 * Reads from the writer: an event can be here before the row has reached a reader.
 *
 * Needs `select` on `users (id, name, email)`, and nothing else.
 */
export function createRecipients(database: Database): Recipients {
  const find = gather((userIds: readonly number[]) => findAll(database, userIds));
  return { find };
}

const foundUser = recipient.extend({ id: z.coerce.number() });

async function findAll(
  database: Database,
  userIds: readonly number[],
): Promise<(Recipient | null)[]> {
  const rows = await database.run(
    (sql) => sql`
      select id, name, email from users where id = any(${`{${userIds.join()}}`}::text::bigint[])`,
  );
  const found = new Map(
    rows.map((row) => {
      const { id, ...user } = foundUser.parse(row);
      return [id, user];
    }),
  );
  return userIds.map((id) => found.get(id) ?? null);
}
