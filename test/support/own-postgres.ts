import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import sql from 'postgres';
import {
  type Postgres,
  type PostgresServer,
  startPostgres,
} from '../../services/local/postgres/postgres.ts';
import { startGuardian } from '../../services/local/process/guardian.ts';

/** A primary and a replica of a suite's own. */
export interface OwnPostgres extends Postgres {
  /** Lets the replica apply each commit so much later than the primary made it, in milliseconds; 0 ends that. */
  delayReplica(milliseconds: number): Promise<void>;
}

/** Stops all processes of a server (SIGSTOP), which goes on holding its connections. @returns what lets it go on. */
export function freeze({ processId }: Pick<PostgresServer, 'processId'>): () => void {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((ids) => ids.includes(processId))
    .flatMap(([id]) => (id === undefined ? [] : [id]));
  for (const id of processes) process.kill(id, 'SIGSTOP');
  return () => {
    for (const id of processes) {
      try {
        process.kill(id, 'SIGCONT');
      } catch {
        // A server process ends when it finds its client gone.
      }
    }
  };
}

/**
 * Starts a primary and a replica for one suite alone, in about a second: for what all databases of a server would
 * notice, such as lag, a promotion, or a server that ends. `stop` removes everything.
 */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const guardian = startGuardian();
  try {
    const postgres = await startPostgres({
      directory: join(guardian.createTemporaryDirectory('headroom-test-'), 'postgres'),
      database: 'headroom',
      durable: false,
      guardian,
      primaryPort: 0,
      replicaPort: 0,
    });
    return {
      ...postgres,
      async delayReplica(milliseconds) {
        const replica = sql(postgres.replica.administratorUrl, { max: 1 });
        // ALTER SYSTEM takes no parameters.
        await replica.unsafe(
          `ALTER SYSTEM SET recovery_min_apply_delay = '${Math.trunc(milliseconds)}ms'`,
        );
        await replica`SELECT pg_reload_conf()`;
        await replica.end();
      },
      async stop() {
        await postgres.stop();
        await guardian.close();
      },
    };
  } catch (error) {
    await guardian.close();
    throw error;
  }
}
