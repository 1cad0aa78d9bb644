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
import { batched } from '../../services/contracts/batching/batcher.ts';
import type { Database } from '../database/database.ts';

/** A row of `idempotency_records`; PostgreSQL's bigint arrives as text, because it can exceed 2^53. */
const row = z.object({
  status: z.enum([IdempotencyRecordStatus.INPROGRESS, IdempotencyRecordStatus.COMPLETED]),
  in_progress_expiry: z.coerce.number().nullable(),
  expiry: z.coerce.number(),
  response_data: z.json().nullable(),
});

const takenKey = z.object({ idempotency_key: z.string() });

/**
 * Powertools' idempotency records in PostgreSQL, in place of a DynamoDB table. The conditions are those of its DynamoDB layer: a record may be taken
 * when there is none, when it has expired, or when its attempt has timed out, by the workers' clocks. The messages of a batch share a statement.
 *
 * Needs `select`, `insert`, `update` and `delete` on `idempotency_records`, and nothing else.
 */
export class PostgresPersistenceLayer extends BasePersistenceLayer {
  readonly #database: Database;
  readonly #consumer: string;
  readonly #take = batched((records: readonly IdempotencyRecord[]) => this.#takeAll(records));
  readonly #complete = batched((records: readonly IdempotencyRecord[]) =>
    this.#completeAll(records),
  );

  /** The expiry of this process's attempts, by key: it identifies an attempt. */
  readonly #attempts = new Map<string, number | null>();

  /** @param consumer - name of the consumer; each has records of its own. */
  constructor(database: Database, consumer: string) {
    super();
    this.#database = database;
    this.#consumer = consumer;
  }

  protected override async _putRecord(record: IdempotencyRecord): Promise<void> {
    if (await this.#take(record)) {
      this.#attempts.set(record.idempotencyKey, record.inProgressExpiryTimestamp ?? null);
      return;
    }
    throw new IdempotencyItemAlreadyExistsError(
      `There is a record already for the idempotency key ${record.idempotencyKey} of ${this.#consumer}`,
    );
  }

  /** @returns for each record whether it was taken; of equal keys, only the first. */
  async #takeAll(records: readonly IdempotencyRecord[]): Promise<boolean[]> {
    const now = Date.now();
    const firstOfKey = new Map(
      records.toReversed().map((record) => [record.idempotencyKey, record]),
    );
    const values = JSON.stringify([...firstOfKey.values()].map((record) => this.#columns(record)));
    const taken = await this.#database.run(
      (sql) => sql`
        insert into idempotency_records as existing
          (consumer, idempotency_key, status, in_progress_expiry, expiry)
        select ${this.#consumer}, idempotency_key, status, in_progress_expiry, expiry
        from json_to_recordset(${values}::text::json)
          as taken (idempotency_key text, status text, in_progress_expiry bigint, expiry bigint)
        order by idempotency_key
        on conflict (consumer, idempotency_key) do update set
          status = excluded.status,
          in_progress_expiry = excluded.in_progress_expiry,
          expiry = excluded.expiry,
          response_data = null
        where existing.expiry < ${Math.floor(now / 1_000)}
          or (existing.status = ${IdempotencyRecordStatus.INPROGRESS} and existing.in_progress_expiry < ${now})
        returning idempotency_key`,
    );
    const takenKeys = new Set(taken.map((row) => takenKey.parse(row).idempotency_key));
    return records.map(
      (record) =>
        takenKeys.has(record.idempotencyKey) && firstOfKey.get(record.idempotencyKey) === record,
    );
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
    await this.#complete(record);
    this.#attempts.delete(record.idempotencyKey);
  }

  /**
   * An upsert, which always uses the index: for an update, PostgreSQL would keep the sequential scan that it chose while the table was small.
   * A deleted
   * record is written again, as by Powertools' own layer.
   */
  async #completeAll(records: readonly IdempotencyRecord[]): Promise<undefined[]> {
    const lastOfKey = new Map(records.map((record) => [record.idempotencyKey, record]));
    const values = JSON.stringify([...lastOfKey.values()].map((record) => this.#columns(record)));
    await this.#database.run(
      (sql) => sql`
        insert into idempotency_records
          (consumer, idempotency_key, status, expiry, response_data)
        select ${this.#consumer}, idempotency_key, status, expiry, response_data
        from json_to_recordset(${values}::text::json)
          as completed (idempotency_key text, status text, expiry bigint, response_data jsonb)
        order by idempotency_key
        on conflict (consumer, idempotency_key) do update set
          status = excluded.status,
          expiry = excluded.expiry,
          response_data = excluded.response_data`,
    );
    return records.map(() => undefined);
  }

  /** Removes only this process's own attempt: another may have completed the event, or have taken the record after this attempt's expiry. */
  protected override async _deleteRecord(record: IdempotencyRecord): Promise<void> {
    const expiry = this.#attempts.get(record.idempotencyKey) ?? null;
    this.#attempts.delete(record.idempotencyKey);
    await this.#database.run(
      (sql) => sql`
        delete from idempotency_records
        where consumer = ${this.#consumer} and idempotency_key = ${record.idempotencyKey}
          and status = ${IdempotencyRecordStatus.INPROGRESS}
          and in_progress_expiry is not distinct from ${expiry}::bigint`,
    );
  }

  #columns(record: IdempotencyRecord) {
    return {
      idempotency_key: record.idempotencyKey,
      status: record.getStatus(),
      in_progress_expiry: record.inProgressExpiryTimestamp ?? null,
      expiry: record.expiryTimestamp,
      response_data: record.responseData ?? null,
    };
  }
}
