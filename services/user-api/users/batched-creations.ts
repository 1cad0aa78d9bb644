import { batched } from '../../contracts/batching/batcher.ts';
import {
  currentScope,
  type Scope,
  ScopeEnded,
  sharedScope,
} from '../../contracts/changes/change-scope.ts';
import { DatabaseUnavailable, sqlState } from '../database/errors.ts';
import type { DatabaseRouter } from '../database/router.ts';
import { runPrepared } from '../database/statements.ts';
import { FIRST_RELAY_DELAY_SECONDS } from '../queue/outbox.ts';
import { EmailTaken } from './errors.ts';
import { SETTABLE_FIELDS, SETTABLE_NAMES, SETTABLE_RECORD } from './user-columns.ts';
import { USER_COLUMNS, type UserRow } from './user-row.ts';
import type { NewUser } from './write-statements.ts';

/** Rows of one statement at most, so that it takes milliseconds, and a failure of all rows costs no more. */
const ROWS_MAXIMUM = 100;

/**
 * `insertUser` for several users. A user missing from the result has an email address that is taken. Rows are JSON, because postgres.js would
 * query
 * the types of arrays on each connection.
 *
 * Parameters: 1 the users, as JSON, each with another email address; 2 seconds until a relay may take the events.
 */
const INSERTION = `
  with wanted as (
    select * from json_to_recordset($1::text::json) as wanted (
      ${SETTABLE_RECORD}, "passwordHash" text, "eventId" uuid, "traceParent" text
    )
  ), created as (
    insert into users (${SETTABLE_NAMES})
    select ${SETTABLE_FIELDS} from wanted
    on conflict (lower(email)) do nothing
    returning *
  ), account as (
    insert into accounts (user_id, password_hash)
    select id, "passwordHash" from created join wanted using (email)
    where "passwordHash" is not null
  ), event as (
    insert into outbox (id, type, data, traceparent, created_at, available_at)
    select "eventId", 'user.created', jsonb_build_object('userId', id), "traceParent",
      created_at, created_at + make_interval(secs => $2)
    from created join wanted using (email)
  )
  select ${USER_COLUMNS} from created
`;

const DEADLOCK = '40P01';

/** Whether one row made the statement fail, so that the others may succeed without it. */
function isOfOneRow(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return sqlState(error.cause) === DEADLOCK;
  return sqlState(error) !== undefined;
}

interface Creation {
  readonly user: NewUser;
  readonly scope: Scope | undefined;
}

const lowerCase = ({ user }: Creation) => user.email.toLowerCase();

const asError = (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/**
 * Creates the users of one tick with one statement, because the fixed cost of a statement dominates. Each succeeds or fails as it would alone:
 * if one
 * row fails the statement, each is tried by itself.
 */
export class BatchedCreations {
  readonly #router: Pick<DatabaseRouter, 'write'>;
  readonly #createAlone: (user: NewUser, scope: Scope | undefined) => Promise<UserRow>;
  readonly #createBatched = batched<Creation, UserRow>((creations) => this.#createAll(creations), {
    maximum: ROWS_MAXIMUM,
    trace: 'none',
  });

  constructor(
    router: Pick<DatabaseRouter, 'write'>,
    createAlone: (user: NewUser, scope: Scope | undefined) => Promise<UserRow>,
  ) {
    this.#router = router;
    this.#createAlone = createAlone;
  }

  /** @throws {@link EmailTaken}, and what the statement of one user throws. */
  create(user: NewUser): Promise<UserRow> {
    return this.#createBatched({ user, scope: currentScope() });
  }

  async #createAll(creations: readonly Creation[]): Promise<(UserRow | Error)[]> {
    const alone = ({ scope, user }: Creation) => this.#createAlone(user, scope).catch(asError);
    // One creation of each address: rows are matched by it.
    const together = [...Map.groupBy(creations, lowerCase).values()].flatMap((same) =>
      same.slice(0, 1),
    );
    if (together.length === 1) return await Promise.all(creations.map(alone));
    let rows: ReadonlyMap<string, UserRow | ScopeEnded>;
    try {
      rows = await this.#insert(together);
    } catch (error) {
      if (isOfOneRow(error)) return await Promise.all(creations.map(alone));
      return creations.map(() => asError(error));
    }
    const inserted = ({ user }: Creation) =>
      rows.get(user.email) ?? new EmailTaken('The email is taken');
    if (together.length === creations.length) return creations.map(inserted);
    const isTogether = new Set(together);
    return await Promise.all(
      creations.map((each) => (isTogether.has(each) ? inserted(each) : alone(each))),
    );
  }

  /** @returns rows by address; an error for a request that ended before the statement was sent. */
  async #insert(
    creations: readonly Creation[],
  ): Promise<ReadonlyMap<string, UserRow | ScopeEnded>> {
    // One order of locking in all processes excludes deadlocks.
    const inOrder = creations.toSorted((one, other) =>
      lowerCase(one) < lowerCase(other) ? -1 : 1,
    );
    const ended = new Map<string, ScopeEnded>();
    const rows = await this.#router.write(
      (sql) => {
        // Requests may have ended while the statement waited for a connection.
        const wanted = inOrder.filter(({ scope, user }) => {
          if (scope?.isEnded !== true) return true;
          ended.set(user.email, new ScopeEnded('The request has ended'));
          return false;
        });
        const users = JSON.stringify(wanted.map(({ user }) => user));
        const parameters = [users, FIRST_RELAY_DELAY_SECONDS];
        return runPrepared<UserRow>(sql, { text: INSERTION, parameters });
      },
      sharedScope(creations.map(({ scope }) => scope)),
    );
    return new Map<string, UserRow | ScopeEnded>([
      ...ended,
      ...rows.map((row) => [row.email, row] as const),
    ]);
  }
}
