import { currentTraceParent } from '../../contracts/tracing/trace-context.ts';
import type { CreateUserBody, UpdateUserBody, User, UserStatus } from '../../contracts/users.ts';
import { isDuplicateOf } from '../database/errors.ts';
import type { DatabaseRouter } from '../database/router.ts';
import { EMAIL_UNIQUE_INDEX, type users } from '../database/schema.ts';
import { EmailTaken } from './errors.ts';
import { userStatements } from './statements.ts';

type UserRow = typeof users.$inferSelect;

/** Which users a list has. */
export interface ListFilter {
  /** Only ids greater than this one; 0 for the first page. */
  readonly after: number;
  /** Most users. */
  readonly limit: number;
  /** Only users with this status. @default users of every status */
  readonly status?: UserStatus | undefined;
}

/** PostgreSQL's text form of an instant, as RFC 3339 in UTC. */
const isoInstant = (text: string) => new Date(text).toISOString();

const toUser = (row: UserRow): User => ({
  id: row.id,
  name: row.name,
  email: row.email,
  status: row.status,
  createdAt: isoInstant(row.createdAt),
  updatedAt: isoInstant(row.updatedAt),
  version: row.version,
});

/** An array of integers in PostgreSQL's text form; null, for any version, stays null. */
const versionsParameter = (versions: readonly number[] | null) =>
  versions === null ? null : `{${versions.join(',')}}`;

/** A duplicate email as the typed error it is, anything else as it came. */
function knownError(error: unknown): unknown {
  return isDuplicateOf(error, EMAIL_UNIQUE_INDEX)
    ? new EmailTaken('The email is taken', { cause: error })
    : error;
}

/**
 * Users in PostgreSQL. Every method is one statement and one round trip.
 *
 * All methods throw `DatabaseUnavailable` when no server answers.
 */
export class UserRepository {
  readonly #router: DatabaseRouter;

  constructor(router: DatabaseRouter) {
    this.#router = router;
  }

  /** A user as a reader has it, which may be behind, or as the writer has it. */
  async find(id: number, on: 'reader' | 'writer'): Promise<User | null> {
    const query = (database: Parameters<typeof userStatements>[0]) =>
      userStatements(database).find.execute({ id });
    const [row] = await (on === 'writer' ? this.#router.write(query) : this.#router.read(query));
    return row === undefined ? null : toUser(row);
  }

  /** In ascending order of id, as a reader has them. */
  async list({ after, limit, status }: ListFilter): Promise<User[]> {
    const rows = await this.#router.read((database) => {
      const statements = userStatements(database);
      return status === undefined
        ? statements.list.execute({ after, limit })
        : statements.listByStatus.execute({ after, limit, status });
    });
    return rows.map(toUser);
  }

  /**
   * Creates a user, and in the same transaction the event `user.created` in the outbox.
   *
   * @param eventId - a new UUID, the event's id.
   * @throws {@link EmailTaken}
   */
  async create(fields: CreateUserBody, eventId: string): Promise<User> {
    const traceparent = currentTraceParent();
    const create = this.#router.write((database) =>
      userStatements(database).create.execute({ ...fields, eventId, traceparent }),
    );
    const [row] = await create.catch((error: unknown) => {
      throw knownError(error);
    });
    if (row === undefined) throw new Error('An insert returned no row');
    return toUser(row);
  }

  /**
   * Changes the fields that are given and raises the version by one.
   *
   * @param versions - the versions that the user may have; null for any.
   * @returns the user as it is now, or null when none has that id and one of those versions.
   * @throws {@link EmailTaken}
   */
  async update(
    id: number,
    { name = null, email = null, status = null }: Nullable<UpdateUserBody>,
    versions: readonly number[] | null,
  ): Promise<User | null> {
    const parameters = { id, name, email, status, versions: versionsParameter(versions) };
    const update = this.#router.write((database) =>
      userStatements(database).update.execute(parameters),
    );
    const [row] = await update.catch((error: unknown) => {
      throw knownError(error);
    });
    return row === undefined ? null : toUser(row);
  }

  /** @returns the version that the user had, or null when none has that id and one of `versions`. */
  async remove(id: number, versions: readonly number[] | null): Promise<number | null> {
    const [row] = await this.#router.write((database) =>
      userStatements(database).remove.execute({ id, versions: versionsParameter(versions) }),
    );
    return row?.version ?? null;
  }
}

type Nullable<Fields> = { readonly [Name in keyof Fields]: Fields[Name] | null };
