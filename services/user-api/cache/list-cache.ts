import { hash } from 'node:crypto';
import type { CacheMetrics } from '../observability/metrics/counters.ts';
import { SingleFlight } from './loads.ts';
import { SerializedResponse } from './serialized-response.ts';
import { SieveCache, SieveEntry } from './sieve-cache.ts';

/** A page of a list, as it is loaded. */
export interface LoadedPage {
  readonly body: Uint8Array;
  /** The Link header; null when there is none. */
  readonly link: string | null;
}

/** A page of a list, serialized. */
export interface SerializedPage {
  readonly response: SerializedResponse;
  readonly link: string | null;
  /** Whether it was in this process's memory already. */
  readonly fromCache: boolean;
}

/** Longest that a page lives. */
export const PAGE_LIFETIME_MILLISECONDS = 2_000;
const LIFETIME_JITTER = 0.2;
/** Writes of other processes count together for so long: so many loads a second of one page is the most that writing can cause. */
export const GENERATION_MILLISECONDS = 50;
/** What an entry takes in memory besides its bytes, its key and its Link header, as measured: up to 590. */
export const PAGE_OVERHEAD_BYTES = 640;
/** Of a character of a key: V8 takes two bytes for each once one is not Latin. */
const KEY_CHARACTER_BYTES = 2;

class PageEntry extends SieveEntry<string> {
  readonly page: SerializedPage;
  readonly endsAt: number;

  constructor(key: string, page: SerializedPage, endsAt: number) {
    const { response, link } = page;
    const texts = KEY_CHARACTER_BYTES * key.length + (link?.length ?? 0);
    super(key, PAGE_OVERHEAD_BYTES + response.maximumSize + texts);
    this.page = { response, link, fromCache: true };
    this.endsAt = endsAt;
  }
}

export interface ListCacheOptions {
  /** Bound on the memory of all pages, in bytes. 0: none is kept. */
  readonly maximumBytes: number;
  readonly metrics: CacheMetrics;
  /** Milliseconds since any moment. @default performance.now */
  readonly clock?: () => number;
}

/**
 * Pages of lists by query, in this process's memory. Any write may change any page, so a write ends the generation that all pages belong to:
 * an own write at once, those of other processes within {@link GENERATION_MILLISECONDS}.
 *
 * A page comes from a reader, which may not have the write yet that ended the last generation; so a page lives only as
 * long again as its generation was old when it was loaded, and {@link PAGE_LIFETIME_MILLISECONDS} at most. With readers that are L behind, a page is out of
 * date for 2 L at most, and a write costs each page in use a handful of loads, ever further apart.
 */
export class ListCache {
  readonly #pages: SieveCache<string, PageEntry>;
  readonly #flights = new SingleFlight<SerializedPage>();
  readonly #metrics: CacheMetrics;
  readonly #clock: () => number;
  #isOpen = false;
  #generation = 0;
  #generationBeganAt: number;
  #changedElsewhere: NodeJS.Timeout | undefined;

  constructor(options: ListCacheOptions) {
    this.#pages = new SieveCache(options.maximumBytes);
    this.#metrics = options.metrics;
    this.#clock = options.clock ?? (() => performance.now());
    this.#generationBeganAt = this.#clock();
  }

  get count(): number {
    return this.#pages.count;
  }

  get bytes(): number {
    return this.#pages.bytes;
  }

  /** From now on this process is notified of every write. */
  open(): void {
    this.#isOpen = true;
    this.written();
  }

  /** This process may miss writes from now on: no page is kept. */
  close(): void {
    this.#isOpen = false;
    this.written();
  }

  /** This process has written something. */
  written(): void {
    clearTimeout(this.#changedElsewhere);
    this.#changedElsewhere = undefined;
    this.#generation += 1;
    this.#generationBeganAt = this.#clock();
    this.#pages.clear();
  }

  /** Another process has written something. */
  writtenElsewhere(): void {
    this.#changedElsewhere ??= setTimeout(() => this.written(), GENERATION_MILLISECONDS).unref();
  }

  /**
   * @param key - stands for the query: the same for queries that mean the same.
   * @param load - loads the page; of those who ask at the same time, one does.
   * @returns the page, at once where it is in memory.
   */
  get(key: string, load: () => Promise<LoadedPage>): SerializedPage | Promise<SerializedPage> {
    const entry = this.#pages.get(key);
    if (entry !== undefined && this.#clock() < entry.endsAt) {
      this.#metrics.listHits += 1;
      return entry.page;
    }
    this.#metrics.listMisses += 1;
    // Nobody gets a page whose load began before a write that they may know of.
    return this.#flights.run(`${this.#generation} ${key}`, () => this.#load(key, load));
  }

  async #load(key: string, load: () => Promise<LoadedPage>): Promise<SerializedPage> {
    const generation = this.#generation;
    const beganAt = this.#clock();
    const { body, link } = await load();
    const page = {
      response: new SerializedResponse(body, contentTag(body)),
      link,
      fromCache: false,
    };
    if (this.#isOpen && generation === this.#generation) {
      const longest = PAGE_LIFETIME_MILLISECONDS * (1 - LIFETIME_JITTER * Math.random());
      const lifetime = Math.min(longest, beganAt - this.#generationBeganAt);
      this.#pages.set(new PageEntry(key, page, beganAt + lifetime));
    }
    return page;
  }
}

/** A page has no version; its bytes are their own. 128 bits are enough for no two to meet by chance. */
function contentTag(body: Uint8Array): string {
  return hash('sha256', body, 'base64url').slice(0, 22);
}
