import { z } from 'zod';
import type { Database } from '../database/database.ts';
import { createLookup, type Lookup } from './recipients.ts';

const notice = z.object({ formerEmail: z.string() });

/** Whom to tell that an account has another address: who had it under the former one. */
export type EmailChangeNotice = z.infer<typeof notice>;

/** Reads changes of email addresses, by their id; absent when the user is gone, or it was days ago. */
export type EmailChanges = Lookup<string, EmailChangeNotice>;

/** Needs `select` on `email_changes` and on `users (id)`. */
export function createEmailChanges(database: Database): EmailChanges {
  return createLookup(database, async (run, emailChangeId) => {
    const [found] = await run(
      (sql) => sql`
          select email_changes.former_email as "formerEmail"
          from email_changes join users on users.id = email_changes.user_id
          where email_changes.id = ${emailChangeId}
        `,
    );
    return found === undefined ? null : notice.parse(found);
  });
}
