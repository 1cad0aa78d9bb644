import type { Sql } from 'postgres';
import { batched } from '../../contracts/batching/batcher.ts';
import { currentScope, type Scope } from '../../contracts/changes/change-scope.ts';
import { currentSpan, currentTraceParent } from '../../contracts/tracing/trace-context.ts';
import type { UpdateUserBody, User, UserFields } from '../../contracts/users.ts';
import { lastAdministratorError } from '../auth/errors.ts';
import { ERASED_GENERATION } from '../auth/revocations/revocations.ts';
import { isDuplicateOf } from '../database/errors.ts';
import type { DatabaseRouter } from '../database/router.ts';
import { EMAIL_UNIQUE_INDEX } from '../database/schema.ts';
import { type PreparedText, runPrepared } from '../database/statements.ts';
import type { VersionCondition } from '../http/request-headers.ts';
import { BatchedCreations } from './batched-creations.ts';
import { EmailTaken } from './errors.ts';
import {
  countOfUsers,
  type ListedRow,
  type ListPosition,
  type UserListing,
  usersAfter,
  usersBehind,
} from './list-statements.ts';
import { toUser, USER_COLUMNS, type UserRow } from './user-row.ts';
import {
  type AuditedActor,
  type CreationKey,
  deleteUser,
  insertUser,
  type NewUser,
  updateUser,
} from './write-statements.ts';

const USERS_WITH_IDS = `select ${USER_COLUMNS} from users where id = any($1::text::bigint[])`;

/** Users by id, unordered, as `UserRow`s. One text for any number of ids, so that it is prepared once. */
export function usersWithIds(ids: readonly number[]): PreparedText {
  return { text: USERS_WITH_IDS, parameters: [`{${ids.join(',')}}`] };
}

type Server = 'reader' | 'writer';

/**
 * Users in one statement at most. More would hardly be cheaper, and this process would be idle until the whole result arrives; the rest goes
 * to other
 * connections at the same time.
 */
const IDS_MAXIMUM = 16;

export interface ListedUser {
  readonly user: User;
  readonly position: ListPosition;
}

export interface UserChange {
  readonly user: User;
  /** The account's new generation, when the change has revoked the user's sessions. */
  readonly generation: number | null;
}

function knownError(error: unknown): unknown {
  return isDuplicateOf(error, EMAIL_UNIQUE_INDEX)
    ? new EmailTaken('The email is taken', { cause: error })
    : lastAdministratorError(error);
}

function toListed({ order }: UserListing, row: ListedRow): ListedUser {
  const user = toUser(row);
  const key = order.by === 'creation' ? user.createdAt : row.key;
  return { user, position: { key, id: user.id } };
}

/**
 * Users in PostgreSQL. Every method is one statement and one round trip, but for {@link countedPage}, which is two in parallel. Concurrent
 * reads by id
 * share a statement, and so do concurrent creations without a key.
 *
 * All methods throw `DatabaseUnavailable`.
 */
export class UserRepository {
  readonly #router: DatabaseRouter;
  readonly #creations: BatchedCreations;
  readonly #found: Readonly<Record<Server, (id: number) => Promise<User | null>>>;

  constructor(router: DatabaseRouter) {
    this.#router = router;
    const finder = (on: Server) =>
      batched((ids: readonly number[]) => this.#findAll(ids, on), {
        maximum: IDS_MAXIMUM,
        trace: 'none',
      });
    this.#found = { reader: finder('reader'), writer: finder('writer') };
    this.#creations = new BatchedCreations(router, async (user, scope) => {
      const row = await this.#insert(user, null, scope);
      if (row === undefined) throw new Error('An insertion that waits for nobody has no row');
      return row;
    });
  }

  /**
   * Reads a user from a reader, which may lag, or from the writer. Reads of one tick share a statement, because the driver's work for it
   * dominates;
   * so they fail together, too.
   */
  async find(id: number, on: Server): Promise<User | null> {
    if (currentSpan() === undefined) return await this.#found[on](id);
    // A traced request gets a statement of its own.
    const [user = null] = await this.#findAll([id], on);
    return user;
  }

  /** @returns the users in the order of the ids; null for unknown ones. */
  async #findAll(ids: readonly number[], on: Server): Promise<(User | null)[]> {
    const query = (sql: Sql) => runPrepared<UserRow>(sql, usersWithIds(ids));
    const rows = await (on === 'writer'
      ? this.#router.readNewest(query)
      : this.#router.read(query));
    const users = new Map(rows.map((row) => [row.id, toUser(row)]));
    return ids.map((id) => users.get(id) ?? null);
  }

  /** A page after a position, or the first one, from a reader. */
  async page(
    listing: UserListing,
    after: ListPosition | null,
    limit: number,
  ): Promise<ListedUser[]> {
    const rows = await this.#router.read((sql) =>
      runPrepared<ListedRow>(sql, usersAfter(listing, after, limit)),
    );
    return rows.map((row) => toListed(listing, row));
  }

  /** A page after `offset` users, and the length of the list, counted up to `countMaximum`. */
  async countedPage(
    listing: UserListing,
    { countMaximum, limit, offset }: Readonly<Record<'countMaximum' | 'limit' | 'offset', number>>,
  ): Promise<{ readonly users: ListedUser[]; readonly count: number }> {
    const [rows, [counted]] = await Promise.all([
      this.#router.read((sql) => runPrepared<ListedRow>(sql, usersBehind(listing, offset, limit))),
      this.#router.read((sql) =>
        runPrepared<{ count: number }>(sql, countOfUsers(listing, countMaximum)),
      ),
    ]);
    return { users: rows.map((row) => toListed(listing, row)), count: counted?.count ?? 0 };
  }

  /**
   * Creates a user, and in the same transaction the event `user.created` in the outbox.
   *
   * @param options.eventId - a new UUID, the event's id.
   * @param options.key - stores the response. @default it is not stored
   * @returns null while another request with the same key is in flight.
   * @throws {@link EmailTaken}; an error for which {@link isKeyTaken} is true, when the key was used before.
   */
  async create(
    fields: UserFields,
    options: {
      readonly eventId: string;
      readonly passwordHash?: string | null;
      readonly key?: CreationKey | null;
    },
  ): Promise<User | null> {
    const { eventId, key = null, passwordHash = null } = options;
    const user = { ...fields, passwordHash, eventId, traceParent: currentTraceParent() };
    // A traced request gets a statement of its own; and a used key would fail the statement for all.
    const isAlone = key !== null || currentSpan() !== undefined;
    const row = await (isAlone ? this.#insert(user, key) : this.#creations.create(user));
    return row === undefined ? null : toUser(row);
  }

  /**
   * Changes the given fields and increments the version.
   *
   * @param condition - allowed versions; null for any.
   * @returns null when no user has that id and an allowed version.
   * @throws {@link EmailTaken}, `AccessError` last-admin
   */
  async update(
    id: number,
    changes: UpdateUserBody,
    condition: VersionCondition | null,
  ): Promise<UserChange | null> {
    const update = this.#router.write((sql) => updateUser(sql, id, changes, condition));
    const [row] = await update.catch((error: unknown) => {
      throw knownError(error);
    });
    return row === undefined ? null : { user: toUser(row), generation: row.generation };
  }

  /**
   * Erases a user and the person's data in the database, and writes an audit record.
   *
   * @returns the user's last version, or null when none has that id and an allowed version.
   * @throws `AccessError` last-admin
   */
  async remove(
    id: number,
    condition: VersionCondition | null,
    actor: AuditedActor,
  ): Promise<number | null> {
    const removal = this.#router.write((sql) =>
      deleteUser(sql, id, condition, { actor, erasedGeneration: ERASED_GENERATION }),
    );
    const [row] = await removal.catch((error: unknown) => {
      throw knownError(error);
    });
    return row?.version ?? null;
  }

  async #insert(
    user: NewUser,
    key: CreationKey | null,
    scope: Scope | undefined = currentScope(),
  ): Promise<UserRow | undefined> {
    try {
      const [row] = await this.#router.write((sql) => insertUser(sql, user, key), scope);
      return row;
    } catch (error) {
      throw knownError(error);
    }
  }
}
