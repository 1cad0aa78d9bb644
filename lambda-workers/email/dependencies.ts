import { type Environment, readEnvironment } from '../../services/contracts/environment/read.ts';
import {
  createQueueWorkerDependencies,
  queueWorkerVariables,
} from '../queue-worker/dependencies.ts';
import { createLookups } from './lookups.ts';
import { createFolderMailer } from './mailer/folder.ts';
import { createTracedMailer, type Mailer } from './mailer/mailer.ts';
import { createPasswordResets } from './password-resets.ts';
import type { EmailWorkerDependencies } from './worker.ts';

/** Name of this program in logs, in `pg_stat_activity` and in idempotency records. */
const PROGRAM = 'email-worker';

const variables = [
  ...queueWorkerVariables,
  'EMAIL_TRANSPORT',
  'EMAIL_SENDER',
  'MAILBOX_DIRECTORY',
  'PASSWORD_RESET_URL',
] as const;

type EmailWorkerEnvironment = Environment<(typeof variables)[number]>;

async function createMailer(environment: EmailWorkerEnvironment): Promise<Mailer> {
  if (environment.EMAIL_TRANSPORT === 'folder') {
    return createFolderMailer(environment.MAILBOX_DIRECTORY, environment.EMAIL_SENDER);
  }
  // Loaded only where it is used: the AWS SDK is most of the code of a cold start.
  const { createSesMailer } = await import('./mailer/ses.ts');
  return createSesMailer(environment.EMAIL_SENDER, { region: environment.AWS_REGION });
}

/**
 * Creates the dependencies of the email worker from the environment.
 *
 * @throws {@link EnvironmentError} naming every invalid variable.
 */
export async function createDependencies(
  source: Readonly<Record<string, string | undefined>>,
): Promise<EmailWorkerDependencies & { close(): Promise<void> }> {
  const environment = readEnvironment(variables, source);
  const { database, ...common } = await createQueueWorkerDependencies(PROGRAM, source, environment);
  return {
    ...common,
    ...createLookups(database),
    passwordResets: createPasswordResets(database, environment.PASSWORD_RESET_URL),
    mailer: createTracedMailer(await createMailer(environment), environment.EMAIL_TRANSPORT),
  };
}
