/** What is known of a resource at one version. */
export interface VersionedEntry {
  readonly version: number;
  /** The bytes that answer a request for it; null when that version is its deletion. */
  readonly body: Uint8Array | null;
}

/**
 * A cache shared by all processes, in which versions only rise: an entry replaces another only when its version is at least as
 * high. So whoever loads slowly cannot bring back what has been changed or deleted since.
 *
 * It never throws: an answer of `undefined` says that the cache could not be asked in time.
 */
export interface VersionedCache {
  /** @returns the entry, null when there is none, or undefined when the cache did not answer. */
  get(id: number): Promise<VersionedEntry | null | undefined>;

  /**
   * Puts `entry` in, unless a newer one is there.
   *
   * @returns null when it went in, the newer entry when there is one, or undefined when the cache did not answer: then
   * it may hold an older one still.
   */
  raise(id: number, entry: VersionedEntry): Promise<VersionedEntry | null | undefined>;
}
