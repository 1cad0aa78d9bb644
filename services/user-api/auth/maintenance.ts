import { withJitter } from '../../contracts/backoff.ts';
import type { DatabaseRouter } from '../database/router.ts';
import type { Logger } from '../observability/logger.ts';

const INTERVAL_MILLISECONDS = 10 * 60_000;
/** Rows that one run removes from one table, which bounds its duration. */
const BATCH = 5_000;

/** Removes expired rows. Every process does it at intervals, because no other process is certain to run. */
export class AuthenticationMaintenance {
  readonly #router: DatabaseRouter;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(router: DatabaseRouter, logger: Logger) {
    this.#router = router;
    this.#logger = logger;
  }

  start(): void {
    if (this.#closed) return;
    const pause = withJitter(INTERVAL_MILLISECONDS);
    this.#timer = setTimeout(() => void this.run().then(() => this.start()), pause).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Never throws: the next run removes the rest. */
  async run(): Promise<void> {
    try {
      // By ctid, which is stable while the rows are locked: joined by id, the table would be read from end to end.
      // An hour exceeds the ten minutes that revocations matter; a day exceeds the lifetimes of password resets and of notices to former addresses.
      await this.#router.write(
        (sql) => sql`
          delete from revocations where ctid = any(array(
            select ctid from revocations where created_at < now() - interval '1 hour'
            order by created_at limit ${BATCH} for update skip locked
          ))`,
      );
      await this.#router.write(
        (sql) => sql`
          delete from password_resets where ctid = any(array(
            select ctid from password_resets where requested_at < now() - interval '2 days'
            order by requested_at limit ${BATCH} for update skip locked
          ))`,
      );
      await this.#router.write(
        (sql) => sql`
          delete from email_changes where ctid = any(array(
            select ctid from email_changes where changed_at < now() - interval '2 days'
            order by changed_at limit ${BATCH} for update skip locked
          ))`,
      );
      await this.#router.write(
        (sql) => sql`
          delete from api_keys where ctid = any(array(
            select ctid from api_keys where expires_at < now() - interval '30 days'
            order by expires_at limit ${BATCH} for update skip locked
          ))`,
      );
    } catch (error) {
      this.#logger.warn({ error }, 'Expired rows were not removed');
    }
  }
}
