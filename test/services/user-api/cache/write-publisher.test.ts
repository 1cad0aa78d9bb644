import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecentWrites } from '../../../../services/user-api/cache/known-versions.ts';
import type {
  EntryOrigin,
  VersionedCache,
} from '../../../../services/user-api/cache/versioned-cache.ts';
import {
  RETRY_INTERVAL_MILLISECONDS,
  WritePublisher,
} from '../../../../services/user-api/cache/write-publisher.ts';

const entry = (version: number) => ({ version, body: Buffer.from(`v${version}`) });

/** A shared cache of which a test says what it takes, and when; suites with Redis look at what Redis does. */
class RefusingCache implements Pick<VersionedCache, 'setIfNewer'> {
  readonly stored: (readonly [id: number, version: number, origin: EntryOrigin])[] = [];
  refuses: (id: number) => boolean = () => false;
  delayMilliseconds = 0;
  mostAtOnce = 0;
  #atOnce = 0;

  setIfNewer: VersionedCache['setIfNewer'] = async (id, { version }, { origin }) => {
    this.stored.push([id, version, origin]);
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    if (this.delayMilliseconds > 0) {
      await new Promise((resolve) => setTimeout(resolve, this.delayMilliseconds));
    }
    this.#atOnce -= 1;
    return this.refuses(id) ? undefined : null;
  };

  /** What was set since it was asked for last. */
  takeStored(): typeof this.stored {
    return this.stored.splice(0);
  }
}

function create() {
  const cache = new RefusingCache();
  const recentWrites = new RecentWrites();
  const written: number[] = [];
  const publisher = new WritePublisher({
    cache: { ...notAsked, setIfNewer: cache.setIfNewer },
    recentWrites,
    onWrite: (id) => written.push(id),
  });
  const publish = async (id: number, version = 1) => {
    const published = publisher.publish(id, entry(version));
    await vi.advanceTimersByTimeAsync(cache.delayMilliseconds);
    await published;
  };
  /** When the next retry begins, from now on; null when none does within three seconds. */
  const untilRetry = async () => {
    for (let waited = 1; waited <= 3_000; waited += 1) {
      await vi.advanceTimersByTimeAsync(1);
      if (cache.stored.length > 0) return waited;
    }
    return null;
  };
  return { cache, publish, publisher, recentWrites, untilRetry, written };
}

/** A publisher only puts something in. */
const notAsked: VersionedCache = {
  get: () => expect.fail('nothing is to be read'),
  lookUp: () => expect.fail('nothing is to be read'),
  setIfNewer: () => expect.fail('it is replaced'),
  lease: () => expect.fail('nothing is to be leased'),
};

describe('WritePublisher', { timeout: 5_000 }, () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('puts a write into this process at once, and into the shared cache before it is done', async () => {
    const { cache, publisher, recentWrites, untilRetry, written } = create();
    cache.delayMilliseconds = 10;
    let isDone = false;
    const published = publisher.publish(1, entry(2)).then(() => {
      isDone = true;
    });
    expect(written).toEqual([1]);
    expect(recentWrites.newest(1)?.version).toBe(2);
    expect(cache.takeStored()).toEqual([[1, 2, 'write']]);
    await vi.advanceTimersByTimeAsync(9);
    expect(isDone).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await published;
    expect(recentWrites.hasUnshared).toBe(false);
    expect(await untilRetry()).toBeNull();
  });

  it('without a shared cache, counts every write as shared', async () => {
    const recentWrites = new RecentWrites();
    const publisher = new WritePublisher({ cache: null, recentWrites, onWrite: () => {} });
    await publisher.publish(1, entry(1));
    expect(recentWrites.hasUnshared).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('retries what was not taken after 250 ms, then after pauses that double up to a second, and begins with 250 ms again', async () => {
    const { cache, publish, untilRetry } = create();
    cache.refuses = () => true;
    await publish(1);
    expect(cache.takeStored()).toEqual([[1, 1, 'write']]);
    for (const pause of [250, 500, 1_000, 1_000]) {
      expect(await untilRetry()).toBe(pause);
      expect(cache.takeStored()).toEqual([[1, 1, 'earlier write']]);
    }
    cache.refuses = () => false;
    expect(await untilRetry()).toBe(1_000);
    cache.takeStored();
    expect(await untilRetry()).toBeNull();

    cache.refuses = () => true;
    await publish(2);
    cache.takeStored();
    expect(await untilRetry()).toBe(RETRY_INTERVAL_MILLISECONDS);
  });

  it('retries at the first pause as long as any is taken', async () => {
    const { cache, publish, untilRetry } = create();
    cache.refuses = (id) => id !== 2;
    await publish(1);
    cache.refuses = () => true;
    await publish(2);
    cache.refuses = (id) => id !== 2;
    cache.takeStored();
    expect(await untilRetry()).toBe(250);
    expect(cache.takeStored().map(([id]) => id)).toEqual([1, 2]);
    expect(await untilRetry()).toBe(250);
    expect(cache.takeStored().map(([id]) => id)).toEqual([1]);
  });

  it('retries a hundred at once, and stops a round at the first hundred of which none is taken; those come last in the next', async () => {
    const { cache, publish, untilRetry } = create();
    cache.refuses = () => true;
    for (let id = 1; id <= 250; id += 1) await publish(id);
    cache.takeStored();
    cache.delayMilliseconds = 1;
    cache.mostAtOnce = 0;
    // Those whose node is away.
    cache.refuses = (id) => id <= 100;
    expect(await untilRetry()).toBe(250);
    await vi.advanceTimersByTimeAsync(5);
    expect(cache.takeStored()).toHaveLength(100);
    // That round has doubled the pause, of which some milliseconds are over.
    expect(await untilRetry()).toBe(496);
    await vi.advanceTimersByTimeAsync(5);
    const ids = cache.takeStored().map(([id]) => id);
    expect(ids.slice(0, 150)).toEqual(Array.from({ length: 150 }, (_, index) => 101 + index));
    expect(ids).toHaveLength(250);
    expect(cache.mostAtOnce).toBe(100);
  });

  it('retries what was missed while a round of retries was in flight', async () => {
    const { cache, publish, publisher, untilRetry } = create();
    cache.refuses = () => true;
    await publish(1);
    cache.takeStored();
    cache.delayMilliseconds = 10;
    cache.refuses = (id) => id === 2;
    expect(await untilRetry()).toBe(250);
    // The round takes 10 ms; this write fails within them, in which no other round can begin.
    cache.delayMilliseconds = 5;
    void publisher.publish(2, entry(1));
    await vi.advanceTimersByTimeAsync(20);
    expect(cache.takeStored()).toEqual([
      [1, 1, 'earlier write'],
      [2, 1, 'write'],
    ]);
    cache.refuses = () => false;
    expect(await untilRetry()).not.toBeNull();
    expect(cache.takeStored()).toEqual([[2, 1, 'earlier write']]);
  });

  it('publishes all recent writes again when Redis may have lost them, as earlier writes', async () => {
    const { cache, publish, publisher, untilRetry } = create();
    await publish(1);
    await publish(2);
    cache.takeStored();
    publisher.publishAgain();
    await vi.advanceTimersByTimeAsync(1);
    expect(cache.takeStored()).toEqual([
      [1, 1, 'earlier write'],
      [2, 1, 'earlier write'],
    ]);
    expect(await untilRetry()).toBeNull();
  });

  it('closed during a round of retries, begins no other', async () => {
    const { cache, publish, publisher, untilRetry } = create();
    cache.refuses = () => true;
    await publish(1);
    cache.takeStored();
    cache.delayMilliseconds = 10;
    expect(await untilRetry()).toBe(250);
    cache.takeStored();
    publisher.close();
    expect(await untilRetry()).toBeNull();
  });

  it('after a round with nothing to retry, sets no timer, and begins with the first pause', async () => {
    const { cache, publish, publisher, untilRetry } = create();
    publisher.publishAgain();
    await vi.advanceTimersByTimeAsync(1);
    expect(vi.getTimerCount()).toBe(0);
    cache.refuses = () => true;
    await publish(1);
    cache.takeStored();
    expect(await untilRetry()).toBe(RETRY_INTERVAL_MILLISECONDS);
  });

  it('closed, retries nothing more', async () => {
    const { cache, publish, publisher, untilRetry } = create();
    cache.refuses = () => true;
    await publish(1);
    cache.takeStored();
    publisher.close();
    expect(await untilRetry()).toBeNull();

    const idle = create();
    await idle.publish(1);
    idle.cache.takeStored();
    idle.publisher.close();
    idle.publisher.publishAgain();
    expect(await idle.untilRetry()).toBeNull();
  });
});
