import postgres, { type Sql } from 'postgres';
import { onTestFinished } from 'vitest';
import { DatabasePool } from '../../../../../services/user-api/database/pool.ts';
import { DatabaseRouter } from '../../../../../services/user-api/database/router.ts';
import { createLogger } from '../../../../../services/user-api/observability/logger.ts';
import { Outbox } from '../../../../../services/user-api/queue/outbox.ts';

export interface TestOutbox {
  readonly outbox: Outbox;
  readonly router: DatabaseRouter;
  readonly logger: ReturnType<typeof createLogger>;
  /** Every line that was logged, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Statements that have been run. */
  statements(): number;
}

/** An outbox on the database at `url`, for one test. */
export function openOutbox(url: string): TestOutbox {
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(
    { LOG_LEVEL: 'info', STAGE: 'test' },
    { write: (line) => void log.push(JSON.parse(line)) },
  );
  const pool = new DatabasePool({
    name: 'writer',
    url,
    connection: {},
    size: 1,
    statementTimeoutMilliseconds: 2_000,
    logger,
  });
  const router = new DatabaseRouter({ writer: pool, readers: [] }, logger);
  onTestFinished(() => router.close());
  return {
    outbox: new Outbox(router, logger),
    router,
    logger,
    log,
    statements: () => pool.metrics.durations.buckets.reduce((sum, count) => sum + count, 0),
  };
}

/** Inserts due events into the outbox, the oldest first. @returns their ids in this order */
export async function addToOutbox(sql: Sql, count: number): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    insert into outbox (id, type, data, available_at)
    select gen_random_uuid(), 'user.created', jsonb_build_object('userId', number),
      now() - interval '1 minute' + number * interval '1 millisecond'
    from generate_series(1, ${count}) as number returning id`;
  return rows.map(({ id }) => id);
}

export function connect(url: string): Sql {
  return postgres(url, { max: 2 });
}
