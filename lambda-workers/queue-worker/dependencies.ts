import { type Environment, readEnvironment } from '../../services/contracts/environment/read.ts';
import { createTracer } from '../../services/contracts/tracing/tracer.ts';
import { Database } from '../database/database.ts';
import { PostgresPersistenceLayer } from '../idempotency/postgres-persistence-layer.ts';
import { createLogger, warnOfMisspelt } from '../observability/logger.ts';
import type { QueueWorkerDependencies } from './queue-worker.ts';

/** Variables that every queue worker reads. */
export const queueWorkerVariables = [
  'STAGE',
  'LOG_LEVEL',
  'DATABASE_URL',
  'DATABASE_AUTHENTICATION',
  'DATABASE_PASSWORD_FILE',
  'DATABASE_TLS',
  'DATABASE_STATEMENT_TIMEOUT_MILLISECONDS',
  'AWS_REGION',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
] as const;

/**
 * Creates what every queue worker needs, from the environment.
 *
 * @param program - name of the worker in logs, in `pg_stat_activity` and in idempotency records.
 * @throws {@link EnvironmentError} naming every invalid variable.
 */
export async function createQueueWorkerDependencies(
  program: string,
  source: Readonly<Record<string, string | undefined>>,
  environment: Environment<(typeof queueWorkerVariables)[number]> = readEnvironment(
    queueWorkerVariables,
    source,
  ),
): Promise<QueueWorkerDependencies & { readonly database: Database; close(): Promise<void> }> {
  const logger = createLogger(environment, program);
  warnOfMisspelt(logger, source);
  const database = new Database(environment, program, (error) =>
    logger.error({ error }, 'No database password'),
  );
  const tracer = await createTracer(environment, {
    service: program,
    onChange: (state, error) =>
      state === 'failing'
        ? logger.warn({ error }, 'The collector refuses traces: they are lost')
        : logger.info('The collector accepts traces again'),
  });
  return {
    database,
    idempotency: new PostgresPersistenceLayer(database, program),
    logger,
    tracer,
    close: () => database.close(),
  };
}
