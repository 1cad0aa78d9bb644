import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../services/local/postgres/postgres.ts';
import { startGuardian } from '../../services/local/process/guardian.ts';
import { findRedis } from '../../services/local/redis/find-redis.ts';
import { startSqs } from '../../services/local/sqs/sqs.ts';
import type { SystemConnections } from './system.ts';

/** Starts what all suites of the project `system` share, in a temporary folder, and ends it after the last of them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const guardian = startGuardian();
  try {
    const directory = guardian.createTemporaryDirectory('headroom-test-');
    const [postgres, sqs] = await Promise.all([
      startPostgres({
        directory: join(directory, 'postgres'),
        database: 'headroom',
        durable: false,
        guardian,
        primaryPort: 0,
        replicaPort: 0,
      }),
      startSqs({ queues: [] }),
    ]);
    const redis = findRedis();
    const connections: SystemConnections = {
      postgres: { primary: postgres.primary, replica: postgres.replica },
      sqs: { endpoint: sqs.endpoint, region: sqs.region },
      redis,
    };
    project.provide('system', connections);

    return async () => {
      await Promise.all([postgres.stop(), sqs.stop()]);
      await guardian.close();
    };
  } catch (error) {
    await guardian.close();
    throw error;
  }
}
