import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { type Database, preparedStatements } from '../database/pool.ts';
import { outbox, users } from '../database/schema.ts';
import { FIRST_RELAY_DELAY_SECONDS } from '../queue/outbox-statements.ts';

/** Any version where the parameter is null, and else one of those that it lists, as an array of integers in text. */
const versionIsAllowed = () => {
  const versions = sql`${sql.placeholder('versions')}::int[]`;
  return sql`(${versions} is null or ${users.version} = any(${versions}))`;
};

/** The parameter's value, or the column's own where it is null: no field of a user can be null. */
const changedOrSame = (parameter: string, column: PgColumn): SQL<string> =>
  sql`coalesce(${sql.placeholder(parameter)}, ${column})`;

/** The user and its event in one statement, hence in one transaction and one round trip: both are there, or neither. */
function prepareCreate(database: Database) {
  const created = database.$with('created').as(
    database
      .insert(users)
      .values({
        name: sql.placeholder('name'),
        email: sql.placeholder('email'),
        status: sql.placeholder('status'),
      })
      .returning(),
  );
  const relayDelay = sql.raw(`interval '${FIRST_RELAY_DELAY_SECONDS} seconds'`);
  const event = database.$with('event').as(
    database
      .insert(outbox)
      .select(
        database
          .select({
            id: sql`${sql.placeholder('eventId')}::uuid`.as('id'),
            type: sql`'user.created'`.as('type'),
            data: sql`jsonb_build_object('userId', ${created.id})`.as('data'),
            createdAt: created.createdAt,
            traceparent: sql`${sql.placeholder('traceparent')}::text`.as('traceparent'),
            availableAt: sql`${created.createdAt} + ${relayDelay}`.as('available_at'),
          })
          .from(created),
      )
      .returning({ id: outbox.id }),
  );
  return database.with(created, event).select().from(created).prepare('create_user');
}

const prepareFind = (database: Database) =>
  database
    .select()
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare('find_user');

/** Two statements rather than one with an optional filter: each has one plan, and it is on an index. */
const prepareList = (database: Database, filtered: boolean) =>
  database
    .select()
    .from(users)
    .where(
      and(
        gt(users.id, sql.placeholder('after')),
        filtered ? eq(users.status, sql.placeholder('status')) : undefined,
      ),
    )
    .orderBy(asc(users.id))
    .limit(sql.placeholder('limit'))
    .prepare(filtered ? 'list_users_by_status' : 'list_users');

const prepareUpdate = (database: Database) =>
  database
    .update(users)
    .set({
      name: changedOrSame('name', users.name),
      email: changedOrSame('email', users.email),
      status: changedOrSame('status', users.status),
      updatedAt: sql`now()`,
      version: sql`${users.version} + 1`,
    })
    .where(and(eq(users.id, sql.placeholder('id')), versionIsAllowed()))
    .returning()
    .prepare('update_user');

const prepareRemove = (database: Database) =>
  database
    .delete(users)
    .where(and(eq(users.id, sql.placeholder('id')), versionIsAllowed()))
    .returning({ version: users.version })
    .prepare('remove_user');

/** The statements of the users' repository, prepared on one pool's connections. */
export const userStatements = preparedStatements((database) => ({
  create: prepareCreate(database),
  find: prepareFind(database),
  list: prepareList(database, false),
  listByStatus: prepareList(database, true),
  update: prepareUpdate(database),
  remove: prepareRemove(database),
}));
