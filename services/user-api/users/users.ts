import { randomUUID } from 'node:crypto';
import type { UserCreated } from '../../contracts/events.ts';
import type { CreateUserBody, UpdateUserBody, User } from '../../contracts/users.ts';
import type { CoherentReader } from '../cache/coherent-reader.ts';
import type { ListCache, LoadedPage, ReadyPage } from '../cache/list-cache.ts';
import type { LoadLimit } from '../cache/load-limit.ts';
import type { WritePublisher } from '../cache/write-publisher.ts';
import { userCreatedEvent } from '../queue/events.ts';
import { UserNotFound, VersionMismatch } from './errors.ts';
import type { ListFilter, UserRepository } from './repository.ts';
import { toSnapshot, type UserSnapshot } from './user-snapshot.ts';

/** A page of users, and whether there are more. */
export interface UserList {
  readonly users: readonly User[];
  readonly more: boolean;
}

export interface UsersParts {
  readonly repository: UserRepository;
  /** What reads go through, and what is told of writes. */
  readonly caching: {
    readonly reader: Pick<CoherentReader, 'read'>;
    readonly writes: Pick<WritePublisher, 'publish'>;
    readonly lists: Pick<ListCache, 'get'>;
    readonly limit: LoadLimit;
  };
  /** Sends an event that is in the outbox; it must not throw, and nobody waits for it. */
  readonly dispatch: (event: UserCreated) => void;
}

/** What can be done with users. All methods throw `DatabaseUnavailable` when the database they need does not answer. */
export class Users {
  readonly #repository: UserRepository;
  readonly #caching: UsersParts['caching'];
  readonly #dispatch: (event: UserCreated) => void;

  constructor({ repository, caching, dispatch }: UsersParts) {
    this.#repository = repository;
    this.#caching = caching;
    this.#dispatch = dispatch;
  }

  /**
   * @returns the user, or null when there is none.
   * @throws `ReadsShed`
   */
  get(id: number): Promise<UserSnapshot | null> {
    return this.#caching.reader.read(id);
  }

  /**
   * A page of users, as it is sent. It may be as far behind as a reader is, and as {@link ListCache} says.
   *
   * @param render - makes the page of the users that are on it. Queries that are the same must be rendered the same.
   * @throws `ReadsShed`
   */
  page(query: ListFilter, render: (list: UserList) => LoadedPage): Promise<ReadyPage> {
    const { after, limit, status = '' } = query;
    const { limit: loads, lists } = this.#caching;
    return lists.get(`${after} ${limit} ${status}`, async () =>
      render(await loads.run(() => this.#list(query))),
    );
  }

  async #list(query: ListFilter): Promise<UserList> {
    const { limit } = query;
    // One more than asked for tells whether there is a next page.
    const found = await this.#repository.list({ ...query, limit: limit + 1 });
    return { users: found.slice(0, limit), more: found.length > limit };
  }

  /**
   * Creates a user, whose welcome email is then certain to be asked for.
   *
   * @throws `EmailTaken`
   */
  async create(fields: CreateUserBody): Promise<{ id: number; snapshot: UserSnapshot }> {
    const eventId = randomUUID();
    const user = await this.#repository.create(fields, eventId);
    this.#dispatch(userCreatedEvent(eventId, user.createdAt, { userId: user.id }));
    return { id: user.id, snapshot: await this.#published(user) };
  }

  /**
   * Changes the fields that are given; with none given, nothing changes, the version neither.
   *
   * @param versions - the versions that the user may have; null for any.
   * @throws {@link UserNotFound}, {@link VersionMismatch}, `EmailTaken`
   */
  async update(
    id: number,
    changes: UpdateUserBody,
    versions: readonly number[] | null,
  ): Promise<UserSnapshot> {
    if (Object.values(changes).every((value) => value === undefined)) {
      const user = await this.#repository.find(id, 'writer');
      if (user === null || versions?.includes(user.version) === false) throw this.#refusal(user);
      return toSnapshot(user);
    }
    const user = await this.#repository.update(id, changes, versions);
    if (user === null) throw await this.#whyNot(id, versions);
    return await this.#published(user);
  }

  /**
   * @param versions - the versions that the user may have; null for any.
   * @throws {@link UserNotFound}, {@link VersionMismatch}
   */
  async remove(id: number, versions: readonly number[] | null): Promise<void> {
    const version = await this.#repository.remove(id, versions);
    if (version === null) throw await this.#whyNot(id, versions);
    // One more than any version the user had, so that nothing older replaces it.
    await this.#caching.writes.publish(id, { version: version + 1, body: null });
  }

  async #published(user: User): Promise<UserSnapshot> {
    const snapshot = toSnapshot(user);
    await this.#caching.writes.publish(user.id, snapshot);
    return snapshot;
  }

  /** Why a change met no user: asked of the writer only when a version could be the reason. */
  async #whyNot(id: number, versions: readonly number[] | null): Promise<Error> {
    return this.#refusal(versions === null ? null : await this.#repository.find(id, 'writer'));
  }

  #refusal(user: User | null): Error {
    return user === null
      ? new UserNotFound('There is no such user')
      : new VersionMismatch(user.version);
  }
}
