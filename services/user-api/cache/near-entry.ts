import { earliestRefresh } from './early-refresh.ts';
import { SerializedResponse } from './serialized-response.ts';
import { SieveEntry } from './sieve-cache.ts';
import type { VersionedEntry } from './versioned-cache.ts';

/**
 * What an entry takes in memory besides its bytes, as measured (docs/cache.md): the entry, its place in the map, the response, and
 * the heads of its strings.
 */
export const NEAR_ENTRY_OVERHEAD_BYTES = 512;
/**
 * What another representation adds to that, so that both together cover what an entry with one takes besides its bytes, as measured: up to 730.
 */
export const DERIVED_OVERHEAD_BYTES = 256;

/** When an entry was loaded, and until when it may be used; milliseconds by the clock of the near cache. */
export interface NearTimes {
  readonly endsAt: number;
  /** How long the load took. */
  readonly loadMilliseconds: number;
}

/** A resource in this process's memory, ready to be answered. */
export class NearEntry extends SieveEntry<number> {
  readonly version: number;
  /** The body of the shared cache; null when there is no such resource. */
  readonly response: SerializedResponse | null;
  readonly endsAt: number;
  readonly loadMilliseconds: number;
  /** From when on it may be loaded again; infinite once that has begun. */
  refreshFrom: number;
  /** Other ways to show it, by name. */
  #derived: Map<string, SerializedResponse> | undefined;

  constructor(id: number, { version, body }: VersionedEntry, times: NearTimes) {
    const response = body === null ? null : new SerializedResponse(body, versionTag(version));
    // Compressed here, where nobody waits for it.
    void response?.gzip;
    super(id, NEAR_ENTRY_OVERHEAD_BYTES + (response?.size ?? 0));
    this.version = version;
    this.response = response;
    this.endsAt = times.endsAt;
    this.loadMilliseconds = times.loadMilliseconds;
    this.refreshFrom = earliestRefresh(times.endsAt, times.loadMilliseconds);
  }

  derived(name: string): SerializedResponse | undefined {
    return this.#derived?.get(name);
  }

  /** @returns the bytes that it takes. */
  addDerived(name: string, response: SerializedResponse): number {
    this.#derived ??= new Map();
    this.#derived.set(name, response);
    return DERIVED_OVERHEAD_BYTES + response.size;
  }
}

/** What stands in the ETag of a version. */
export function versionTag(version: number): string {
  return `v${version}`;
}
