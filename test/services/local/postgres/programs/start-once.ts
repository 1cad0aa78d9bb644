import { LocalFailure } from '../../../../../services/local/local-failure.ts';
import { startPostgres } from '../../../../../services/local/postgres/postgres.ts';
import { startGuardian } from '../../../../../services/local/process/guardian.ts';

export interface StartOutcome {
  /** Message and remedy of the `LocalFailure`; undefined when it started. */
  readonly failure?: { readonly message: string; readonly remedy: string };
}

/** Starts PostgreSQL in the folder named by its argument, stops it, and prints how that went. */
async function main(directory: string): Promise<StartOutcome> {
  const guardian = startGuardian();
  try {
    const postgres = await startPostgres({
      directory,
      database: 'headroom',
      durable: false,
      guardian,
      primaryPort: 0,
      replicaPort: 0,
    });
    await postgres.stop();
    return {};
  } catch (error) {
    if (!(error instanceof LocalFailure)) throw error;
    return { failure: { message: error.message, remedy: error.remedy } };
  } finally {
    await guardian.close();
  }
}

process.send?.(await main(process.argv[2] ?? ''));
process.disconnect();
