import { type Event, event } from '../../contracts/events.ts';
import type { DatabaseRouter } from '../database/router.ts';
import type { Logger } from '../observability/logger.ts';
import { EVENT_SOURCE } from './events.ts';
import { outboxStatements } from './outbox-statements.ts';

/** The events that wait in the database to be sent. All methods throw `DatabaseUnavailable` when the writer is away. */
export class Outbox {
  readonly #router: DatabaseRouter;
  readonly #logger: Logger;

  constructor(router: DatabaseRouter, logger: Logger) {
    this.#router = router;
    this.#logger = logger;
  }

  /**
   * Takes events that are due; no other relay takes them before the lease is over, and then anyone may.
   *
   * @param limit - most events.
   * @param leaseSeconds - how long they are left to this caller.
   */
  async take(limit: number, leaseSeconds: number): Promise<Event[]> {
    const rows = await this.#router.write((database) =>
      outboxStatements(database).take.execute({ limit, leaseSeconds }),
    );
    return rows.flatMap(({ id, type, data, traceparent, createdAt }) => {
      const parsed = event.safeParse({
        specversion: '1.0',
        id,
        source: EVENT_SOURCE,
        type,
        time: new Date(createdAt).toISOString(),
        datacontenttype: 'application/json',
        ...(traceparent === null ? {} : { traceparent }),
        data,
      });
      if (parsed.success) return [parsed.data];
      // Of a newer version of this service, most likely, which is being deployed and takes it in its turn.
      this.#logger.error({ eventId: id, type }, 'An event in the outbox is of no known type');
      return [];
    });
  }

  /** Removes events that have been sent. */
  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#router.write((database) =>
      outboxStatements(database).remove.execute({ ids: `{${ids.join(',')}}` }),
    );
  }
}
