import type { Sql } from 'postgres';
import { type Event, event } from '../../contracts/events.ts';
import { currentTraceParent } from '../../contracts/tracing/trace-context.ts';
import type { DatabaseRouter } from '../database/router.ts';
import type { Logger } from '../observability/logger.ts';

/** How long a new event is reserved for the process that wrote it, in seconds: longer than sending takes with all its attempts. */
export const FIRST_RELAY_DELAY_SECONDS = 10;

/** The `source` of this service's events. */
export const EVENT_SOURCE = '/user-api';

/**
 * All of an event but its type and data.
 *
 * @param time - when it happened, RFC 3339 in UTC.
 * @param traceparent - @default that of the running code
 */
export function eventEnvelope(id: string, time: string, traceparent = currentTraceParent()) {
  return {
    specversion: '1.0',
    id,
    source: EVENT_SOURCE,
    time,
    datacontenttype: 'application/json',
    ...(traceparent === null ? {} : { traceparent }),
  } as const;
}

/** The size of the outbox, of all processes together. */
export interface OutboxDepth {
  /** Counted up to {@link COUNTED_MAXIMUM}. */
  readonly events: number;
  /** How long the oldest event is overdue, in seconds; 0 when none is. */
  readonly overdueSeconds: number;
}

/** Counting costs as much as there is to count, and above this the exact number does not matter. */
const COUNTED_MAXIMUM = 10_000;
/** How long a depth is reused: many processes ask, each for two metrics. */
const DEPTH_REUSED_MILLISECONDS = 10_000;

/** The events in the database that are not sent yet. `take` and `remove` throw `DatabaseUnavailable` when the writer is down. */
export class Outbox {
  readonly #router: Pick<DatabaseRouter, 'read' | 'write'>;
  readonly #logger: Logger;
  #depth: Promise<OutboxDepth | null> | undefined;
  #depthAt = 0;

  constructor(router: Pick<DatabaseRouter, 'read' | 'write'>, logger: Logger) {
    this.#router = router;
    this.#logger = logger;
  }

  /**
   * Takes due events under a lease: no other relay takes them before it expires, and then any relay may.
   *
   * @param limit - most events.
   */
  async take(limit: number, leaseSeconds: number): Promise<Event[]> {
    const rows = await this.#router.write((sql) => takeRows(sql, limit, leaseSeconds));
    return rows.flatMap(({ id, type, data, traceparent, createdAt }) => {
      const envelope = eventEnvelope(id, new Date(createdAt).toISOString(), traceparent);
      const parsed = event.safeParse({ ...envelope, type, data });
      if (parsed.success) return [parsed.data];
      // Most likely of a newer version of this service, which is being deployed and takes it later.
      this.#logger.error({ eventId: id, type }, 'An event in the outbox has an unknown type');
      return [];
    });
  }

  /** Removes events that have been sent. */
  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    // An array in PostgreSQL's text form, because postgres.js would ask each connection for array types.
    await this.#router.write(
      (sql) => sql`delete from outbox where id = any(${`{${ids.join()}}`}::text::uuid[])`,
    );
  }

  /** The depth on a reader, at most 10 s old. @returns null while no database responds. */
  depth(): Promise<OutboxDepth | null> {
    const now = performance.now();
    if (this.#depth === undefined || now - this.#depthAt > DEPTH_REUSED_MILLISECONDS) {
      this.#depthAt = now;
      this.#depth = this.#router.read(selectDepth).catch(() => null);
    }
    return this.#depth;
  }
}

interface OutboxRow {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly traceparent: string | null;
  readonly createdAt: string;
}

/** No transaction stays open while the events are sent: the events of a relay that dies are due again when its lease expires. */
const takeRows = (sql: Sql, limit: number, leaseSeconds: number) => sql<OutboxRow[]>`
  update outbox set available_at = now() + make_interval(secs => ${leaseSeconds})
  where id in (
    select id from outbox where available_at <= now()
    order by available_at limit ${limit} for update skip locked
  )
  returning id, type, data, traceparent, created_at as "createdAt"`;

/** By the index on `available_at`: its first event is the one that has waited longest. */
async function selectDepth(sql: Sql): Promise<OutboxDepth> {
  const [depth] = await sql<{ events: number; overdueSeconds: number | null }[]>`
    select count(*)::int as events,
      extract(epoch from now() - min(available_at))::float8 as "overdueSeconds"
    from (select available_at from outbox order by available_at limit ${COUNTED_MAXIMUM}) as waiting`;
  return { events: depth?.events ?? 0, overdueSeconds: Math.max(0, depth?.overdueSeconds ?? 0) };
}
