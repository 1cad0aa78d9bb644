import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { NEAR_LIFETIME_MILLISECONDS } from '../../../../services/user-api/cache/near-cache.ts';
import { migrate } from '../../../../services/user-api/database/migrate.ts';
import type { DatabaseRouter } from '../../../../services/user-api/database/router.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { type OwnPostgres, startOwnPostgres } from '../../../support/own-postgres.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { createRouter } from './coherence/router.ts';
import { Servers } from './coherence/servers.ts';
import { TestedProcess } from './coherence/tested-process.ts';

const PROCESSES = 4;
const ANYBODY = { email: null, status: null };
const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });

/** The three bounds on what a read may answer after a write was acknowledged; docs/cache.md states them. The replica does not follow at all. */
describeWithRedis('after a write is acknowledged', (redis) => {
  let postgres: OwnPostgres;
  let servers: Servers;
  let router: DatabaseRouter;
  let id: number;
  let now = 0;

  beforeAll(async () => {
    postgres = await startOwnPostgres();
    await migrate(postgres.primary.url);
    const urls = {
      writerUrl: postgres.primary.url,
      readerUrl: postgres.replica.url,
      replicaAdministratorUrl: postgres.replica.administratorUrl,
      redisUrl: redis().url,
    };
    servers = new Servers(urls);
    router = createRouter(urls, logger);
  });
  afterAll(async () => {
    await router.close();
    await servers.close();
    await postgres.stop();
  });
  beforeEach(async () => {
    id = (await servers.createUsers(1))[0] ?? 0;
  });

  async function startProcess(name: string, redisUrl = redis().url): Promise<TestedProcess> {
    const started = new TestedProcess({ name, redisUrl, router, logger, clock: () => now });
    onTestFinished(() => started.close());
    await started.start();
    return started;
  }

  const versionAt = async ({ users }: TestedProcess) => (await users.get(id))?.version;
  const write = async ({ users }: TestedProcess) =>
    (await users.update(id, { name: `${Math.random()}` }, null, ANYBODY)).version;

  it('a process with a subscription answers no older version from the moment it is told', async () => {
    const names = Array.from({ length: PROCESSES }, (_, place) => `${place}`);
    const processes = await Promise.all(names.map((name) => startProcess(name)));
    for (let turn = 0; turn < 50; turn += 1) {
      for (const process of processes) await versionAt(process);
      const writer = processes[turn % PROCESSES];
      const beganAt = performance.now();
      const version = writer && (await write(writer));
      for (const process of processes) {
        expect(await process.isToldOf(id, version ?? 0, beganAt)).toBe(true);
        const hits = process.caching.metrics.nearHits;
        expect(await versionAt(process)).toBe(version);
        const fromMemory = process.caching.metrics.nearHits - hits;
        expect(fromMemory).toBe(process === writer ? 1 : 0);
      }
    }
  });

  it('a process whose subscription is cut answers nothing out of its memory, and nothing older, until it is back', async () => {
    const [writing, reading] = [await startProcess('writing'), await startProcess('reading')];
    await versionAt(reading);
    await reading.untilQuiet();
    expect(reading.caching.near.count).toBe(1);
    await reading.loseSubscription();
    expect(reading.caching.near.count).toBe(0);
    for (let turn = 0; turn < 10; turn += 1) {
      const version = await write(writing);
      expect(await versionAt(reading)).toBe(version);
    }
    expect(reading.caching.near.count).toBe(0);
    expect(reading.caching.metrics.nearBypasses).toBe(10);

    await reading.subscribeAgain();
    await reading.untilOpen();
    await versionAt(reading);
    await reading.untilQuiet();
    expect(reading.caching.near.count).toBe(1);
  });

  it('a process that misses a word without noticing answers an older version until the near TTL at most', async () => {
    const [writing, reading] = [await startProcess('writing'), await startProcess('reading')];
    expect(await versionAt(reading)).toBe(1);
    await reading.untilQuiet();
    reading.loseWords();
    const version = await write(writing);
    now += NEAR_LIFETIME_MILLISECONDS / 2;
    expect(await versionAt(reading)).toBe(1);
    now += NEAR_LIFETIME_MILLISECONDS / 2;
    expect(await versionAt(reading)).toBe(version);
  });

  it('a read through Redis or the database never answers an older version, whoever reads it', async () => {
    const names = Array.from({ length: PROCESSES }, (_, place) => `${place}`);
    const processes = await Promise.all(names.map((name) => startProcess(name)));
    for (const process of processes) await process.loseSubscription();
    let acknowledged = 1;
    let ended = false;
    const reads = processes.map(async (process) => {
      let count = 0;
      while (!ended) {
        const bound = acknowledged;
        expect(await versionAt(process)).toBeGreaterThanOrEqual(bound);
        count += 1;
      }
      return count;
    });
    for (let turn = 0; turn < 100; turn += 1) {
      const writer = processes[turn % PROCESSES];
      if (writer !== undefined) acknowledged = Math.max(acknowledged, await write(writer));
      // What Redis had is gone: only readers that are behind, and the writer, know the user.
      if (turn % 10 === 0) await servers.evict(id);
    }
    ended = true;
    expect(Math.min(...(await Promise.all(reads)))).toBeGreaterThan(10);
    expect(acknowledged).toBe(101);
    expect(processes.some(({ caching }) => caching.metrics.nearHits > 0)).toBe(false);
  });
});
