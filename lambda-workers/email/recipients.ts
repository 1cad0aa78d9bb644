import type { ISql } from 'postgres';
import { z } from 'zod';
import { gather } from '../../services/contracts/gathering/gather.ts';
import type { Database } from '../database/database.ts';

/** What an email needs to know of a user. Not the name: the creator of the account chose it, and the address need not be theirs. */
const recipient = z.object({ email: z.string() });
export type Recipient = z.infer<typeof recipient>;

/**
 * Two ways to read what an email is made of: `find` may miss a row on a connection that outlived a change of the writer; `confirm` may not,
 * as it reads on a connection that has just written. Only `confirm` may decide that there is nobody to write to.
 */
export interface Lookup<Key, Found> {
  /** @returns null when there is none, as far as this connection knows. */
  find(key: Key): Promise<Found | null>;
  /** @returns null when there is none (any more). */
  confirm(key: Key): Promise<Found | null>;
}

/** Reads users that emails go to, by their id. */
export type Recipients = Lookup<number, Recipient>;

type Run = <Result>(query: (sql: ISql) => Promise<Result>) => Promise<Result>;

/** The two ways to read with `select`. */
export function createLookup<Key, Found>(
  database: Database,
  select: (run: Run, key: Key) => Promise<Found | null>,
): Lookup<Key, Found> {
  return {
    find: (key) => select((query) => database.run(query), key),
    confirm: (key) => select((query) => database.runConfirmed(query), key),
  };
}

/**
 * Reads from the writer: an event can be here before the row has reached a reader.
 *
 * Needs `select` on `users (id, email)`, and what `Database.runConfirmed` needs.
 */
export function createRecipients(database: Database): Recipients {
  return {
    find: gather((userIds: readonly number[]) => findAll((query) => database.run(query), userIds)),
    confirm: gather((userIds: readonly number[]) =>
      findAll((query) => database.runConfirmed(query), userIds),
    ),
  };
}

const foundUser = recipient.extend({ id: z.coerce.number() });

async function findAll(run: Run, userIds: readonly number[]): Promise<(Recipient | null)[]> {
  const rows = await run(
    (sql) => sql`
      select id, email from users where id = any(${`{${userIds.join()}}`}::text::bigint[])`,
  );
  const found = new Map(
    rows.map((row) => {
      const { id, ...user } = foundUser.parse(row);
      return [id, user];
    }),
  );
  return userIds.map((id) => found.get(id) ?? null);
}
