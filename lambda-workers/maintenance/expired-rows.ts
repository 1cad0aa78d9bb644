import type { Database } from '../database/database.ts';

/** Rows that one statement removes: some 100 ms of work, well within the statement timeout. */
const BATCH_ROWS = 2_000;
/** How long expired rows stay, in seconds: clocks differ, and a program may still use a row that it has read. */
const GRACE_SECONDS = 60 * 60;
/** Responses to an Idempotency-Key are valid for a day; they stay for one more, in seconds. */
const IDEMPOTENCY_KEY_SECONDS = 2 * 24 * 60 * 60;

/** The expired rows of a table. */
interface ExpiredRows {
  readonly table: string;
  /** Removes the oldest, up to {@link BATCH_ROWS}. @returns their number */
  removeBatch(database: Database): Promise<number>;
}

/*
 * Each statement has the condition twice, so that a row renewed between the select and the delete stays. `for update` instead would need the
 * privilege to update.
 */
const expiredRows: readonly ExpiredRows[] = [
  {
    table: 'idempotency_records',
    async removeBatch(database) {
      const { count } = await database.run(
        (sql) => sql`
          delete from idempotency_records
          where expiry < extract(epoch from now()) - ${GRACE_SECONDS}
            and (consumer, idempotency_key) in (
              select consumer, idempotency_key from idempotency_records
              where expiry < extract(epoch from now()) - ${GRACE_SECONDS}
              order by expiry limit ${BATCH_ROWS}
            )`,
      );
      return count;
    },
  },
  {
    table: 'idempotency_keys',
    async removeBatch(database) {
      const { count } = await database.run(
        (sql) => sql`
          delete from idempotency_keys
          where created_at < now() - make_interval(secs => ${IDEMPOTENCY_KEY_SECONDS})
            and digest in (
              select digest from idempotency_keys
              where created_at < now() - make_interval(secs => ${IDEMPOTENCY_KEY_SECONDS})
              order by created_at limit ${BATCH_ROWS}
            )`,
      );
      return count;
    },
  },
];

/** The result of a run for one table. */
export interface Removal {
  readonly table: string;
  readonly removed: number;
  /** Whether time ran out; the next run continues. */
  readonly unfinished: boolean;
}

/**
 * Removes expired rows, the oldest first, in batches, so that no statement holds locks for long. Each batch commits by itself: an interrupted run
 * needs no cleanup.
 *
 * @param hasTime - called before each batch.
 * @throws what the database throws; the tables before are done.
 */
export async function removeExpiredRows(
  database: Database,
  hasTime: () => boolean,
): Promise<readonly Removal[]> {
  const removals: Removal[] = [];
  for (const { table, removeBatch } of expiredRows) {
    let removed = 0;
    let last = BATCH_ROWS;
    while (last === BATCH_ROWS && hasTime()) {
      last = await removeBatch(database);
      removed += last;
    }
    removals.push({ table, removed, unfinished: last === BATCH_ROWS });
  }
  return removals;
}
