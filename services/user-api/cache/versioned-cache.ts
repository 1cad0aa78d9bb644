/** What is known of a resource at one version. */
export interface VersionedEntry {
  readonly version: number;
  /** The bytes of a response with it; null when at that version there is no such resource. */
  readonly body: Uint8Array | null;
}

/** The version of what does not exist yet, as far as is known: any version that is ever written is higher. */
export const UNKNOWN_VERSION = 0;

/**
 * The version of a deletion of which nobody knows which version it ended. Ids are not used again, so it is higher than any that a row can
 * have: those are PostgreSQL integers.
 */
export const DELETED_VERSION = 2_147_483_648;

/** An entry as the shared cache has it. */
export interface SharedEntry extends VersionedEntry {
  /**
   * Whether the body may be served. When it may not, because of its age or because another release made it, the
   * version still holds: nothing older is the truth.
   */
  readonly fresh: boolean;
  /** Until when the body is fresh, in milliseconds since 1970 by the clock of Redis. */
  readonly freshUntil: number;
  /** How long the body took to load, in milliseconds. */
  readonly loadMilliseconds: number;
}

/** Where an entry comes from, which decides how long its version is kept as a minimum version. */
export type EntryOrigin =
  /** A write that has just been committed: processes are notified of it, and readers may be behind it. */
  | 'write'
  /**
   * A write of some time ago, which the cache may lack or have lost. It may lack newer ones
   * too, so this one counts as a minimum version only.
   */
  | 'earlier write'
  /** A load from the database. */
  | 'load';

export interface SetIfNewerOptions {
  readonly origin: EntryOrigin;
  /** How long the body took to load, in milliseconds. @default 1 */
  readonly loadMilliseconds?: number;
}

/**
 * A cache shared by all processes, in which versions only rise: an entry replaces another only when its version is at least as
 * high. So a slow load cannot bring back what has been changed or deleted since.
 *
 * It never throws: a response of `undefined` says that the cache could not be asked in time.
 */
export interface VersionedCache {
  /** @returns the entry, null when there is none, or undefined when the cache did not reply. */
  get(id: number): Promise<SharedEntry | null | undefined>;

  /**
   * The same for what is asked most often, without a promise: calls `settle` once with what {@link get} gives, at once or later, and in whatever trace.
   * `settle` must not throw.
   */
  lookUp(id: number, settle: (cached: SharedEntry | null | undefined) => void): void;

  /**
   * Puts `entry` in, unless a newer one is there. With a write as the origin, all processes are notified in the same step.
   *
   * @returns null when it went in, the newer entry when there is one, or undefined when the cache did not reply: then
   * it may hold an older one still.
   */
  setIfNewer(
    id: number,
    entry: VersionedEntry,
    options: SetIfNewerOptions,
  ): Promise<SharedEntry | null | undefined>;

  /**
   * Asks to be the only process that loads `id` for a while. Nothing depends on it but load.
   *
   * @returns whether this process may: false only when another one is at it.
   */
  lease(id: number): Promise<boolean>;
}
