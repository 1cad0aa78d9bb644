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

/** A link to a new password, and its recipient. */
export interface PasswordResetLink extends z.infer<typeof receiver> {
  readonly url: string;
  readonly lifetimeSeconds: number;
}

/** Issues the secrets of links to new passwords. */
export interface PasswordResets {
  /**
   * Issues a new secret for a request, in place of an earlier one.
   *
   * @returns null without a recipient: the address is unknown, the user is deleted, the link is used, or the request is more than a day old.
   */
  issue(passwordResetId: string): Promise<PasswordResetLink | null>;
}

/**
 * The secret is created here, so that it is only in the email and, hashed, in the database: in no outbox, queue, dead-letter queue or log.
 *
 * Needs `select (id, user_id, requested_at)` and `update (token_hash, expires_at)` on `password_resets`, and `select` on
 * `users (id, email)`.
 *
 * @param pageUrl - the page of the link. The secret is in its fragment, which browsers do not send to servers.
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
      // Only a connection that has just written may decide that there is no row.
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
