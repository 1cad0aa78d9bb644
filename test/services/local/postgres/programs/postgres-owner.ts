import { startPostgres } from '../../../../../services/local/postgres/postgres.ts';
import { startGuardian } from '../../../../../services/local/process/guardian.ts';

export interface OwnerMessage {
  readonly primary: number;
  readonly replica: number;
  readonly guardian: number;
}

/** Starts PostgreSQL in the folder named by its argument, prints the process ids, and waits to be killed. */
async function main(directory: string): Promise<void> {
  const guardian = startGuardian();
  const postgres = await startPostgres({
    directory,
    database: 'headroom',
    durable: false,
    guardian,
    primaryPort: 0,
    replicaPort: 0,
  });
  const message: OwnerMessage = {
    primary: postgres.primary.processId,
    replica: postgres.replica.processId,
    guardian: guardian.processId,
  };
  process.send?.(message);
}

process.once('disconnect', () => process.exit());
await main(process.argv[2] ?? '');
