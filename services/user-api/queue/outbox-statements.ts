import { asc, inArray, lte, sql } from 'drizzle-orm';
import { type Database, preparedStatements } from '../database/pool.ts';
import { outbox } from '../database/schema.ts';

/**
 * How long a new event is left to the process that wrote it, in seconds. Longer than sending takes with all its tries, so
 * that a relay takes only what has been left behind.
 */
export const FIRST_RELAY_DELAY_SECONDS = 10;

/**
 * Takes events that are due, by setting when they are due again: a lease. No transaction stays open while they are sent, and what
 * a relay takes and then dies with comes back by itself.
 */
function prepareTake(database: Database) {
  const due = database
    .select({ id: outbox.id })
    .from(outbox)
    .where(lte(outbox.availableAt, sql`now()`))
    .orderBy(asc(outbox.availableAt))
    .limit(sql.placeholder('limit'))
    .for('update', { skipLocked: true });
  return database
    .update(outbox)
    .set({ availableAt: sql`now() + make_interval(secs => ${sql.placeholder('leaseSeconds')})` })
    .where(inArray(outbox.id, due))
    .returning({
      id: outbox.id,
      type: outbox.type,
      data: outbox.data,
      traceparent: outbox.traceparent,
      createdAt: outbox.createdAt,
    })
    .prepare('take_events');
}

/** `ids` is an array of UUIDs in PostgreSQL's text form, because postgres.js would ask each connection for array types. */
const prepareRemove = (database: Database) =>
  database
    .delete(outbox)
    .where(sql`${outbox.id} = any(${sql.placeholder('ids')}::uuid[])`)
    .prepare('remove_events');

/** By the index on when events are due; the first of them is the one that has waited longest. */
function prepareDepth(database: Database) {
  const waiting = database
    .select({ availableAt: outbox.availableAt })
    .from(outbox)
    .orderBy(asc(outbox.availableAt))
    .limit(sql.placeholder('maximum'))
    .as('waiting');
  return database
    .select({
      events: sql<number>`count(*)::int`,
      overdueSeconds: sql<
        number | null
      >`extract(epoch from now() - min(${waiting.availableAt}))::float8`,
    })
    .from(waiting)
    .prepare('outbox_depth');
}

export const outboxStatements = preparedStatements((database) => ({
  take: prepareTake(database),
  remove: prepareRemove(database),
  depth: prepareDepth(database),
}));
