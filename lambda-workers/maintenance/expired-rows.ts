import type { Database } from '../database/database.ts';

/** Rows that one statement removes: some hundred milliseconds of work, well within the statement timeout. */
const BATCH_ROWS = 2_000;
/** Clocks differ, and a program may be at work with what it has just read: what ended less long ago stays, in seconds. */
const GRACE_SECONDS = 60 * 60;
/** Answers to an Idempotency-Key count for a day (docs of `idempotency_keys`); they stay for one more, in seconds. */
const IDEMPOTENCY_KEY_SECONDS = 2 * 24 * 60 * 60;

/** What is removed, and how many of the oldest rows one statement removes at most. */
interface ExpiredRows {
  readonly table: string;
  /** Removes the oldest expired rows, up to {@link BATCH_ROWS}, and tells how many there were. */
  removeBatch(database: Database): Promise<number>;
}

/*
 * The condition stands twice in each: a row that was renewed between being found and being removed is looked at again, and stays. No row is
 * locked first, because that would take the right to change rows.
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

/** What a run did with one table. */
export interface Removal {
  readonly table: string;
  readonly removed: number;
  /** Whether there was no time for the rest; the next run goes on with it. */
  readonly unfinished: boolean;
}

/**
 * Removes rows that no longer count, the oldest first, in batches, so that no statement holds locks or writes its log for long. Each batch is
 * done once its statement is: whatever ends a run, nothing has to be undone, and the next one goes on.
 *
 * @param mayGoOn - asked before each batch.
 * @throws what the database throws; tables before it have been seen to.
 */
export async function removeExpiredRows(
  database: Database,
  mayGoOn: () => boolean,
): Promise<readonly Removal[]> {
  const removals: Removal[] = [];
  for (const { table, removeBatch } of expiredRows) {
    let removed = 0;
    let last = BATCH_ROWS;
    while (last === BATCH_ROWS && mayGoOn()) {
      last = await removeBatch(database);
      removed += last;
    }
    removals.push({ table, removed, unfinished: last === BATCH_ROWS });
  }
  return removals;
}
