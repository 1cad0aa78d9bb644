import {
  IdempotencyItemAlreadyExistsError,
  IdempotencyItemNotFoundError,
  IdempotencyRecordStatus,
} from '@aws-lambda-powertools/idempotency';
import {
  BasePersistenceLayer,
  IdempotencyRecord,
} from '@aws-lambda-powertools/idempotency/persistence';
import { z } from 'zod';
import type { Database } from '../database/database.ts';

/** A row of `idempotency_records`; PostgreSQL's bigint arrives as text, because it can exceed 2^53. */
const row = z.object({
  status: z.enum([IdempotencyRecordStatus.INPROGRESS, IdempotencyRecordStatus.COMPLETED]),
  in_progress_expiry: z.coerce.number().nullable(),
  expiry: z.coerce.number(),
  response_data: z.json().nullable(),
});

/**
 * Powertools' idempotency records in PostgreSQL, so that a worker that reads its data there anyway needs no DynamoDB
 * table beside it. The conditions are those of Powertools' own DynamoDB layer: a record may be taken when there is none,
 * when it has expired, or when whoever began it has run out of time. Times are those of the workers' clocks, because
 * Powertools makes the expiries from them.
 *
 * Needs `select`, `insert`, `update` and `delete` on `idempotency_records`, and nothing else.
 */
export class PostgresPersistenceLayer extends BasePersistenceLayer {
  readonly #database: Database;
  readonly #consumer: string;

  /** @param consumer - who handles the events; another consumer of the same event has records of its own. */
  constructor(database: Database, consumer: string) {
    super();
    this.#database = database;
    this.#consumer = consumer;
  }

  protected override async _putRecord(record: IdempotencyRecord): Promise<void> {
    const now = Date.now();
    const taken = await this.#database.run(
      (sql) => sql`
        insert into idempotency_records as existing
          (consumer, idempotency_key, status, in_progress_expiry, expiry)
        values (
          ${this.#consumer}, ${record.idempotencyKey}, ${record.getStatus()},
          ${record.inProgressExpiryTimestamp ?? null}, ${this.#expiry(record)}
        )
        on conflict (consumer, idempotency_key) do update set
          status = excluded.status,
          in_progress_expiry = excluded.in_progress_expiry,
          expiry = excluded.expiry,
          response_data = null
        where existing.expiry < ${Math.floor(now / 1_000)}
          or (existing.status = ${IdempotencyRecordStatus.INPROGRESS} and existing.in_progress_expiry < ${now})`,
    );
    if (taken.count === 0) {
      throw new IdempotencyItemAlreadyExistsError(
        `There is a record already for the idempotency key ${record.idempotencyKey} of ${this.#consumer}`,
      );
    }
  }

  protected override async _getRecord(idempotencyKey: string): Promise<IdempotencyRecord> {
    const [found] = await this.#database.run(
      (sql) => sql`
        select status, in_progress_expiry, expiry, response_data from idempotency_records
        where consumer = ${this.#consumer} and idempotency_key = ${idempotencyKey}`,
    );
    if (found === undefined) throw new IdempotencyItemNotFoundError();
    const values = row.parse(found);
    return new IdempotencyRecord({
      idempotencyKey,
      status: values.status,
      expiryTimestamp: values.expiry,
      ...(values.in_progress_expiry === null
        ? {}
        : { inProgressExpiryTimestamp: values.in_progress_expiry }),
      responseData: values.response_data,
    });
  }

  protected override async _updateRecord(record: IdempotencyRecord): Promise<void> {
    const response = JSON.stringify(record.responseData ?? null);
    // As text first: the driver would encode a string that it is told is JSON once more.
    await this.#database.run(
      (sql) => sql`
        update idempotency_records set
          status = ${record.getStatus()},
          expiry = ${this.#expiry(record)},
          response_data = ${response}::text::jsonb
        where consumer = ${this.#consumer} and idempotency_key = ${record.idempotencyKey}`,
    );
  }

  /** Only an attempt in progress is taken back: what another has completed meanwhile must stay done. */
  protected override async _deleteRecord(record: IdempotencyRecord): Promise<void> {
    await this.#database.run(
      (sql) => sql`
        delete from idempotency_records
        where consumer = ${this.#consumer} and idempotency_key = ${record.idempotencyKey}
          and status = ${IdempotencyRecordStatus.INPROGRESS}`,
    );
  }

  #expiry(record: IdempotencyRecord): number {
    return record.expiryTimestamp ?? Math.round(Date.now() / 1_000) + this.expiresAfterSeconds;
  }
}
