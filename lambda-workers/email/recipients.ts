import { z } from 'zod';
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
  return {
    async find(userId) {
      const [found] = await database.run(
        (sql) => sql`select name, email from users where id = ${userId}`,
      );
      return found === undefined ? null : recipient.parse(found);
    },
  };
}
