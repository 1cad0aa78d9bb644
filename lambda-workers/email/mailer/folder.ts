import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mailer } from './mailer.ts';
import { composeMessage, MailerError } from './mailer.ts';

/**
 * Puts each email into a folder as one `.eml` file, which mail programs open. A file appears whole or not at all, and
 * the same email sent twice makes two files, so that a duplicate is seen.
 *
 * @param directory - made when it is not there.
 * @param sender - the From header.
 */
export function createFolderMailer(directory: string, sender: string): Mailer {
  return {
    compose: (email) => composeMessage(email, sender),
    async send({ content }) {
      // The time first, so that names sort by age; no colons, which Windows does not allow.
      const name = `${new Date().toISOString().replaceAll(':', '-')}-${randomUUID()}.eml`;
      const partial = join(directory, `.${name}.partial`);
      try {
        await mkdir(directory, { recursive: true });
        // Emails are personal data: for this user's eyes only.
        await writeFile(partial, content, { mode: 0o600 });
        await rename(partial, join(directory, name));
      } catch (error) {
        // What cannot be removed either is not what the caller has to know.
        await rm(partial).catch(() => {});
        throw new MailerError(`The mailbox folder ${directory} cannot be written to`, true, {
          cause: error,
        });
      }
      return name;
    },
  };
}
