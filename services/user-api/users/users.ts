import { randomUUID } from 'node:crypto';
import type { UserCreated } from '../../contracts/events.ts';
import type { CreateUserBody, UpdateUserBody, User } from '../../contracts/users.ts';
import { AccessError, UserNotFound } from '../auth/errors.ts';
import type { Passwords } from '../auth/passwords/passwords.ts';
import { ERASED_GENERATION } from '../auth/revocations/revocations.ts';
import type { SessionRevoker } from '../auth/sessions/session-revoker.ts';
import type { CoherentReader } from '../cache/coherent-reader.ts';
import type { ListCache, LoadedPage, SerializedPage } from '../cache/list-cache.ts';
import type { LoadLimit } from '../cache/loads.ts';
import type { WritePublisher } from '../cache/write-publisher.ts';
import { UNKNOWN_ADDRESS } from '../client-address/client-address.ts';
import { allowsVersion, type VersionCondition } from '../http/request-headers.ts';
import { eventEnvelope } from '../queue/outbox.ts';
import {
  EmailTaken,
  IdempotencyKeyInUse,
  IdempotencyKeyReused,
  IdempotentResponseErased,
  VersionMismatch,
} from './errors.ts';
import { type IdempotencyStore, isKeyTaken, type StoredCreation } from './idempotency-store.ts';
import type { UserRepository } from './repository.ts';
import { toSnapshot, type UserSnapshot } from './representations.ts';
import type { AuditedActor, CreationKey } from './write-statements.ts';

export interface UsersParts {
  readonly repository: UserRepository;
  readonly caching: {
    readonly reader: Pick<CoherentReader, 'read'>;
    readonly writes: Pick<WritePublisher, 'publish'>;
    readonly lists: Pick<ListCache, 'get'>;
    readonly limit: LoadLimit;
  };
  readonly idempotencyStore: IdempotencyStore;
  readonly passwords: Pick<Passwords, 'hashNew'>;
  readonly sessionRevoker: Pick<SessionRevoker, 'forgetSessions'>;
  /** Sends an event that is in the outbox, in the background; it must not throw. */
  readonly dispatch: (event: UserCreated) => void;
}

export interface Idempotency {
  readonly caller: string;
  readonly key: string;
}

export interface Creation {
  readonly id: number;
  readonly snapshot: UserSnapshot;
  /** Whether it is the response to an earlier request with the same key. */
  readonly isRepeated: boolean;
}

const guardedFields = ['status', 'email'] as const;

/** Errors for changes of fields that the caller may not change; null for allowed fields. */
export type FieldObjections = Readonly<Record<(typeof guardedFields)[number], AccessError | null>>;

/** Operations on users. All methods throw `DatabaseUnavailable`. */
export class Users {
  readonly #parts: UsersParts;

  constructor(parts: UsersParts) {
    this.#parts = parts;
  }

  /**
   * @returns null for an unknown id.
   * @throws `ReadsShed`
   */
  get(id: number): Promise<UserSnapshot | null> {
    return this.#parts.caching.reader.read(id);
  }

  /**
   * A serialized page of users. It may be as stale as a reader's lag and {@link ListCache} allow.
   *
   * @param key - identifies the page.
   * @param load - makes the page.
   * @returns the page, synchronously from memory.
   * @throws `ReadsShed`
   */
  page(
    key: string,
    load: (repository: UserRepository) => Promise<LoadedPage>,
  ): SerializedPage | Promise<SerializedPage> {
    const { caching, repository } = this.#parts;
    return caching.lists.get(key, () => caching.limit.run(() => load(repository)));
  }

  /**
   * Creates a user and requests a welcome email, once for each Idempotency-Key.
   *
   * @param address - of the client.
   * @throws `EmailTaken`, {@link IdempotencyKeyInUse}, {@link IdempotencyKeyReused}, {@link IdempotentResponseErased}; errors of
   * `hashNew` for the password.
   */
  async create(
    body: CreateUserBody,
    idempotency: Idempotency | null,
    address = UNKNOWN_ADDRESS,
  ): Promise<Creation> {
    const { idempotencyStore } = this.#parts;
    if (idempotency === null) return await this.#createNew(body, null, address);
    const key = idempotencyStore.keyOf(idempotency.caller, idempotency.key, body);
    const remembered = await idempotencyStore.recall(key);
    if (remembered !== null) return repeat(remembered, key);
    try {
      return await this.#createNew(body, key, address);
    } catch (error) {
      if (!isKeyTaken(error) && !(error instanceof EmailTaken)) throw error;
      // Perhaps stored by a concurrent request with the same key.
      const meanwhile = await idempotencyStore.recall(key);
      if (meanwhile !== null) return repeat(meanwhile, key);
      throw error;
    }
  }

  /**
   * Changes the given fields; without a change the version stays.
   *
   * @param condition - allowed versions; null for any.
   * @param objections - to changes of restricted fields.
   * @throws {@link UserNotFound}, {@link VersionMismatch}, `EmailTaken`, {@link AccessError} last-admin, or an objection
   */
  async update(
    id: number,
    changes: UpdateUserBody,
    condition: VersionCondition | null,
    objections: FieldObjections,
  ): Promise<UserSnapshot> {
    const { sessionRevoker, repository } = this.#parts;
    const kept = guardedFields.filter(
      (field) => changes[field] !== undefined && objections[field] !== null,
    );
    const wanted = { ...changes };
    for (const field of kept) delete wanted[field];
    const isEmpty = Object.values(wanted).every((value) => value === undefined);
    if (kept.length > 0 || isEmpty) {
      const user = await repository.find(id, 'writer');
      if (user === null || !allowsVersion(condition, user.version)) throw refusal(user);
      for (const field of kept) {
        const objection = objections[field];
        if (objection !== null && user[field] !== changes[field]) throw objection;
      }
      if (isEmpty) return toSnapshot(user);
    }
    const change = await repository.update(id, wanted, condition);
    if (change === null) throw await this.#whyNot(id, condition);
    if (change.generation !== null) await sessionRevoker.forgetSessions(id, change.generation);
    return await this.#published(change.user);
  }

  /**
   * Erases a user: the rows, cache entries and sessions.
   *
   * @param condition - allowed versions; null for any.
   * @throws {@link UserNotFound}, {@link VersionMismatch}, {@link AccessError} last-admin
   */
  async remove(id: number, condition: VersionCondition | null, actor: AuditedActor): Promise<void> {
    const { caching, sessionRevoker, repository } = this.#parts;
    const version = await repository.remove(id, condition, actor);
    if (version === null) throw await this.#whyNot(id, condition);
    await Promise.all([
      // Above any version of the user, so that no older entry replaces it.
      caching.writes.publish(id, { version: version + 1, body: null }),
      sessionRevoker.forgetSessions(id, ERASED_GENERATION),
    ]);
  }

  async #createNew(
    { password, ...fields }: CreateUserBody,
    key: CreationKey | null,
    address: string,
  ): Promise<Creation> {
    const { dispatch, passwords, repository } = this.#parts;
    const passwordHash =
      password === undefined ? null : await passwords.hashNew(password, fields, address);
    const eventId = randomUUID();
    const user = await repository.create(fields, { eventId, passwordHash, key });
    if (user === null) throw new IdempotencyKeyInUse('Another request has the key');
    dispatch({
      ...eventEnvelope(eventId, user.createdAt),
      type: 'user.created',
      data: { userId: user.id },
    });
    return { id: user.id, snapshot: await this.#published(user), isRepeated: false };
  }

  async #published(user: User): Promise<UserSnapshot> {
    const snapshot = toSnapshot(user);
    await this.#parts.caching.writes.publish(user.id, snapshot);
    return snapshot;
  }

  /** Reads the writer only if the version can be the reason. */
  async #whyNot(id: number, condition: VersionCondition | null): Promise<Error> {
    return refusal(condition === null ? null : await this.#parts.repository.find(id, 'writer'));
  }
}

/** Also where the status would not change: the response would reveal it. */
export function statusForbidden(): AccessError {
  return new AccessError('forbidden', 'Only an administrator may set the status.');
}

function refusal(user: User | null): Error {
  return user === null
    ? new UserNotFound('There is no such user')
    : new VersionMismatch(user.version);
}

function repeat({ fingerprint, user }: StoredCreation, key: CreationKey): Creation {
  if (user === null) throw new IdempotentResponseErased('The user has been deleted');
  if (fingerprint !== key.fingerprint) throw new IdempotencyKeyReused('The body is another one');
  return { id: user.id, snapshot: toSnapshot(user), isRepeated: true };
}
