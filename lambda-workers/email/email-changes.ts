import { z } from 'zod';
import type { Database } from '../database/database.ts';

const notice = z.object({ name: z.string(), formerEmail: z.string() });

/** Whom to tell that an account has another address: who had it under the former one. */
export type EmailChangeNotice = z.infer<typeof notice>;

/** Reads changes of email addresses. */
export interface EmailChanges {
  /** @returns null where nobody is to be told: the user is gone, or it was days ago. */
  find(emailChangeId: string): Promise<EmailChangeNotice | null>;
}

/** Needs `select` on `email_changes` and on `users (id, name, email)`. */
export function createEmailChanges(database: Database): EmailChanges {
  return {
    async find(emailChangeId) {
      const [found] = await database.run(
        (sql) => sql`
          select users.name, email_changes.former_email as "formerEmail"
          from email_changes join users on users.id = email_changes.user_id
          where email_changes.id = ${emailChangeId}
        `,
      );
      return found === undefined ? null : notice.parse(found);
    },
  };
}
