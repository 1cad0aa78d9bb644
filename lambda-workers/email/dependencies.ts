import { type Environment, readEnvironment } from '../../services/contracts/environment/read.ts';
import { createTracer } from '../../services/contracts/tracing/tracer.ts';
import { Database } from '../database/database.ts';
import { PostgresPersistenceLayer } from '../idempotency/postgres-persistence-layer.ts';
import { createLogger, warnOfMisspelt } from '../observability/logger.ts';
import { createLookups } from './lookups.ts';
import { createFolderMailer } from './mailer/folder.ts';
import { createTracedMailer, type Mailer } from './mailer/mailer.ts';
import { createPasswordResets } from './password-resets.ts';
import type { EmailWorkerDependencies } from './worker.ts';

/** Name of this program in logs, in `pg_stat_activity` and in idempotency records. */
const PROGRAM = 'email-worker';

const variables = [
  'STAGE',
  'LOG_LEVEL',
  'DATABASE_URL',
  'DATABASE_AUTHENTICATION',
  'DATABASE_PASSWORD_FILE',
  'DATABASE_TLS',
  'DATABASE_STATEMENT_TIMEOUT_MILLISECONDS',
  'AWS_REGION',
  'EMAIL_TRANSPORT',
  'EMAIL_SENDER',
  'MAILBOX_DIRECTORY',
  'PASSWORD_RESET_URL',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
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
  const logger = createLogger(environment, PROGRAM);
  warnOfMisspelt(logger, source);
  const database = new Database(environment, PROGRAM, (error) =>
    logger.error({ error }, 'No database password'),
  );
  const tracer = await createTracer(environment, {
    service: PROGRAM,
    onChange: (state, error) =>
      state === 'failing'
        ? logger.warn({ error }, 'The collector refuses traces: they are lost')
        : logger.info('The collector accepts traces again'),
  });
  return {
    ...createLookups(database),
    passwordResets: createPasswordResets(database, environment.PASSWORD_RESET_URL),
    mailer: createTracedMailer(await createMailer(environment), environment.EMAIL_TRANSPORT),
    idempotency: new PostgresPersistenceLayer(database, PROGRAM),
    logger,
    tracer,
    close: () => database.close(),
  };
}
