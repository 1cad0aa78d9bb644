import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mailer } from './mailer.ts';
import { composeMessage, MailerError } from './mailer.ts';

/**
 * Writes each email into a folder as an `.eml` file. Files appear atomically, and a duplicate email is a second file.
 *
 * @param directory - created when it does not exist.
 * @param sender - the From header.
 */
export function createFolderMailer(directory: string, sender: string): Mailer {
  return {
    compose: (email) => composeMessage(email, sender),
    async send({ content }) {
      // The time first, so that names sort by age; without colons, which Windows does not allow.
      const name = `${new Date().toISOString().replaceAll(':', '-')}-${randomUUID()}.eml`;
      const partial = join(directory, `.${name}.partial`);
      try {
        await mkdir(directory, { recursive: true });
        // Emails are personal data: readable by this user only.
        await writeFile(partial, content, { mode: 0o600 });
        await rename(partial, join(directory, name));
      } catch (error) {
        await rm(partial).catch(() => {});
        throw new MailerError(`The mailbox folder ${directory} cannot be written to`, true, {
          cause: error,
        });
      }
      return name;
    },
  };
}
