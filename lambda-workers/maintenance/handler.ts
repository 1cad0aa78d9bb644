import type { Context } from 'aws-lambda';
import { type Environment, readEnvironment } from '../../services/contracts/environment/read.ts';
import { Database } from '../database/database.ts';
import { createLogger, type Logger, thrownError, warnOfMisspelt } from '../observability/logger.ts';
import { type Removal, removeExpiredRows } from './expired-rows.ts';

/** Name of this program in logs and in `pg_stat_activity`. */
const PROGRAM = 'maintenance';
/** No batch starts with less time left, in milliseconds: it may wait for its connection and its statement timeout. */
const LAST_BATCH_MILLISECONDS = 15_000;

const variables = [
  'STAGE',
  'LOG_LEVEL',
  'DATABASE_URL',
  'DATABASE_AUTHENTICATION',
  'DATABASE_PASSWORD_FILE',
  'DATABASE_TLS',
  'DATABASE_STATEMENT_TIMEOUT_MILLISECONDS',
  'AWS_REGION',
] as const;

type MaintenanceEnvironment = Environment<(typeof variables)[number]>;
type Invocation = Pick<Context, 'getRemainingTimeInMillis'>;

async function maintain(
  environment: MaintenanceEnvironment,
  logger: Logger,
  invocation: Invocation,
): Promise<readonly Removal[]> {
  // Not kept for the next invocation, an hour away: it would count against the connection budget.
  const database = new Database(environment, PROGRAM, (error) =>
    logger.error({ error }, 'No database password'),
  );
  try {
    return await removeExpiredRows(
      database,
      () => invocation.getRemainingTimeInMillis() > LAST_BATCH_MILLISECONDS,
    );
  } finally {
    await database.close();
  }
}

/**
 * Entry point of the scheduled Lambda function that removes expired rows. Safe to run twice, and to interrupt.
 *
 * @throws `EnvironmentError` naming every invalid variable; an error without values, after logging it. Lambda then retries.
 */
export async function handler(
  _event: unknown,
  invocation: Invocation,
): Promise<readonly Removal[]> {
  const environment = readEnvironment(variables, process.env);
  const logger = createLogger(environment, PROGRAM);
  warnOfMisspelt(logger, process.env);
  try {
    const removals = await maintain(environment, logger, invocation);
    for (const { table, removed, unfinished } of removals) {
      if (unfinished) logger.warn({ table, removed }, 'Expired rows are left for the next run');
      else logger.info({ table, removed }, 'Expired rows removed');
    }
    return removals;
  } catch (error) {
    logger.error({ error }, 'Maintenance failed');
    throw thrownError('Maintenance failed.', error);
  }
}
