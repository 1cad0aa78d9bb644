import type { ISql } from 'postgres';
import { z } from 'zod';
import {
  createPasswordResetToken,
  hashPasswordResetToken,
  PASSWORD_RESET_LIFETIME_SECONDS,
  PASSWORD_RESET_SEND_SECONDS,
} from '../../services/contracts/password-reset-token.ts';
import type { Database } from '../database/database.ts';

const receiver = z.object({ email: z.string() });

/** A link to a new password, and whom it goes to. */
export interface PasswordResetLink extends z.infer<typeof receiver> {
  readonly url: string;
  readonly lifetimeSeconds: number;
}

/** Makes the secrets of links to new passwords. */
export interface PasswordResets {
  /**
   * Makes a new secret for a request, in place of one that was made before.
   *
   * @returns null where nobody is to get a link: the address was nobody's, the user is gone, the link has been used, or it was asked for
   * more than a day ago.
   */
  issue(passwordResetId: string): Promise<PasswordResetLink | null>;
}

/**
 * The secret is made here and not where it is asked for, so that it is in the email and, as a hash, in the database, and nowhere between:
 * in no outbox, queue, dead-letter queue or log.
 *
 * Needs `select (id, user_id, requested_at)` and `update (token_hash, expires_at)` on `password_resets`, and `select` on
 * `users (id, email)`.
 *
 * @param pageUrl - where the link leads. The secret goes into its fragment, which a browser keeps from servers, their logs and referrers.
 */
export function createPasswordResets(database: Database, pageUrl: string): PasswordResets {
  return {
    async issue(passwordResetId) {
      const token = createPasswordResetToken();
      const update = (sql: ISql) => sql`
          with issued as (
            update password_resets
            set token_hash = ${hashPasswordResetToken(token)},
              expires_at = now() + make_interval(secs => ${PASSWORD_RESET_LIFETIME_SECONDS})
            where id = ${passwordResetId} and user_id is not null
              and requested_at > now() - make_interval(secs => ${PASSWORD_RESET_SEND_SECONDS})
            returning user_id
          )
          select users.email from issued join users on users.id = issued.user_id
        `;
      // Absent is believed of a connection that has just written only.
      const [found = (await database.runConfirmed(update))[0]] = await database.run(update);
      if (found === undefined) return null;
      const url = new URL(pageUrl);
      url.hash = `token=${token}`;
      return {
        ...receiver.parse(found),
        url: url.href,
        lifetimeSeconds: PASSWORD_RESET_LIFETIME_SECONDS,
      };
    },
  };
}
