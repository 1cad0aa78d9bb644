import type { UserSnapshot } from '../../../../../services/user-api/users/representations.ts';
import type { TestedProcess } from './tested-process.ts';

/** The "version" of a user that has been deleted: newer than any. */
const DELETED = Number.POSITIVE_INFINITY;
/** How long the near cache keeps an entry, at most, in milliseconds: NEAR_LIFETIME_MILLISECONDS. */
export const NEAR_LIFETIME = 5_000;

/** The promise that was broken. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

interface AcknowledgedWrite {
  readonly version: number;
  readonly by: TestedProcess;
  /** By the clock of the processes. */
  readonly at: number;
  /** In milliseconds of `performance.now()`. */
  readonly realAt: number;
}

/** What was known when a read began. */
export interface ReadStart {
  readonly by: TestedProcess;
  readonly fromNear: boolean;
  readonly wasSubscribed: boolean;
  /** Below this version nothing may be answered. */
  readonly bound: number;
  /** What the process had answered by then. */
  readonly seen: number;
}

/** All that has happened to one user, and what reads of it may answer therefore. */
export class History {
  readonly #clock: () => number;
  readonly #writes: AcknowledgedWrite[] = [];
  readonly #seen = new Map<TestedProcess, number>();
  readonly #names = new Map<number, string>();
  readonly id: number;
  readonly #existing: number;
  /** The newest version that may have been committed. */
  #newest: number;
  /** The same, but for a deletion. */
  #newestRow: number;

  /** @param version - the one that the user has; 0 when there is none yet. */
  constructor(id: number, version: number, clock: () => number) {
    this.id = id;
    this.#existing = version;
    this.#newest = version;
    this.#newestRow = version;
    this.#clock = clock;
  }

  get isDeleted(): boolean {
    return this.#newest === DELETED;
  }

  get isThere(): boolean {
    return this.#newest > 0 && !this.isDeleted;
  }

  get newestRow(): number {
    return this.#newestRow;
  }

  /** The newest version that these processes have written, as Redis has it: a deletion counts as one more. 0 when they have written none. */
  newestOf(processes: readonly TestedProcess[]): number {
    const version = this.#writes.findLast(({ by }) => processes.includes(by))?.version ?? 0;
    return version === DELETED ? this.#newestRow + 1 : version;
  }

  /** A write is being done; readers may see it from now on. */
  began(what: 'write' | 'delete'): void {
    if (what === 'write') this.#newestRow += 1;
    this.#newest = what === 'delete' ? DELETED : this.#newestRow;
  }

  /** A write was answered, with the user as it is now, or without, after a deletion. */
  acknowledged(by: TestedProcess, snapshot: UserSnapshot | null): void {
    if (snapshot !== null) this.#remember(snapshot);
    const version = snapshot?.version ?? DELETED;
    this.#writes.push({ version, by, at: this.#clock(), realAt: performance.now() });
  }

  /** The newest version that every read past the near cache must see. */
  get acknowledgedVersion(): number {
    return Math.max(this.#existing, ...this.#writes.map(({ version }) => version));
  }

  readBegins(by: TestedProcess, fromNear: boolean): ReadStart {
    return {
      by,
      fromNear,
      wasSubscribed: by.isSubscribed,
      bound: fromNear ? this.#nearBound(by) : this.acknowledgedVersion,
      seen: this.#seen.get(by) ?? 0,
    };
  }

  /** @throws {@link BrokenPromise} */
  readEnds(start: ReadStart, snapshot: UserSnapshot | null): void {
    const { bound, by, fromNear, seen, wasSubscribed } = start;
    const version = snapshot?.version ?? (this.isDeleted ? DELETED : 0);
    const where = `${by.name} answered version ${version}${fromNear ? ' out of its near cache' : ''}`;
    if (fromNear && !wasSubscribed) throw new BrokenPromise(`${where}, without a subscription`);
    if (fromNear && version === 0) throw new BrokenPromise(`${where}: absence is not kept there`);
    if (version < bound) throw new BrokenPromise(`${where}; it had to be ${bound} at least`);
    if (version < seen) throw new BrokenPromise(`${where}, after it had answered ${seen}`);
    if (version > this.#newest) throw new BrokenPromise(`${where}, which has never been`);
    if (snapshot !== null) this.#remember(snapshot);
    // A write that is not answered yet may be seen, and unseen again: Redis need not know of it.
    const settled = Math.min(version, this.acknowledgedVersion);
    this.#seen.set(by, Math.max(settled, this.#seen.get(by) ?? 0));
  }

  /**
   * The near cache may be behind by what its process was not notified of, but not for longer than an entry lives, not behind its own writes, and
   * not behind what was written before it was subscribed.
   */
  #nearBound(by: TestedProcess): number {
    const known = by.notifiedOf(this.id);
    const binding = this.#writes.filter(
      (write) =>
        write.by === by ||
        this.#clock() - write.at >= NEAR_LIFETIME ||
        write.realAt < by.subscribedSince,
    );
    // The version of a deletion is one above the version that was deleted, and is never served.
    const versions = [this.#existing, ...binding.map(({ version }) => version), known];
    const bound = Math.max(...versions);
    return this.isDeleted && bound > this.#newestRow ? DELETED : bound;
  }

  #remember({ body, version }: UserSnapshot): void {
    const user: unknown = JSON.parse(Buffer.from(body).toString());
    const { name, version: inBody } = user as { name: string; version: number };
    if (inBody !== version) throw new BrokenPromise(`Version ${version} has the body of ${inBody}`);
    const known = this.#names.get(version);
    if (known !== undefined && known !== name) {
      throw new BrokenPromise(`Version ${version} was ${known}, and then ${name}`);
    }
    this.#names.set(version, name);
  }
}
