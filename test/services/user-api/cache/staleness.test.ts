import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTick, setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import {
  HEARTBEAT_GRACE_MILLISECONDS,
  HEARTBEAT_MILLISECONDS,
} from '../../../../services/user-api/cache/invalidation-feed.ts';
import { NEAR_LIFETIME_MILLISECONDS } from '../../../../services/user-api/cache/near-cache.ts';
import { RETRY_INTERVAL_MILLISECONDS } from '../../../../services/user-api/cache/write-publisher.ts';
import { migrate } from '../../../../services/user-api/database/migrate.ts';
import type { DatabaseRouter } from '../../../../services/user-api/database/router.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { eventually } from '../../../support/eventually.ts';
import { type OwnPostgres, startOwnPostgres } from '../../../support/own-postgres.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { createRouter } from './coherence/router.ts';
import { Servers } from './coherence/servers.ts';
import { TestedProcess } from './coherence/tested-process.ts';

const PROCESSES = 4;
const ANYBODY = { email: null, status: null };
const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });

/** As in production. */
const COMMAND_TIMEOUT_MILLISECONDS = 100;
const NANOSECONDS_PER_MILLISECOND = 1e6;

/** The bounds on what a read may answer after a write was acknowledged; docs/cache.md states them. The replica does not follow at all. */
describeWithRedis('after a write is acknowledged', (redis) => {
  let postgres: OwnPostgres;
  let servers: Servers;
  let router: DatabaseRouter;
  let administrator: Redis;
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
    administrator = new Redis(redis().url);
  });
  afterAll(async () => {
    administrator.disconnect();
    await router.close();
    await servers.close();
    await postgres.stop();
  });
  beforeEach(async () => {
    id = (await servers.createUsers(1))[0] ?? 0;
  });

  async function startProcess(
    name: string,
    options: { readonly commandTimeoutMilliseconds?: number } = {},
  ): Promise<TestedProcess> {
    const redisUrl = redis().url;
    const clock = () => now;
    const started = new TestedProcess({ name, redisUrl, router, logger, clock, ...options });
    onTestFinished(() => started.close());
    await started.start();
    return started;
  }

  const versionAt = async ({ users }: TestedProcess) => (await users.get(id))?.version;
  const write = async ({ users }: TestedProcess) =>
    (await users.update(id, { name: `${Math.random()}` }, null, ANYBODY)).version;

  it('a process with a subscription serves no older version from the moment it is notified', async () => {
    const names = Array.from({ length: PROCESSES }, (_, place) => `${place}`);
    const processes = await Promise.all(names.map((name) => startProcess(name)));
    for (let turn = 0; turn < 50; turn += 1) {
      for (const process of processes) await versionAt(process);
      const writer = processes[turn % PROCESSES];
      const beganAt = performance.now();
      const version = writer && (await write(writer));
      for (const process of processes) {
        expect(await process.isNotifiedOf(id, version ?? 0, beganAt)).toBe(true);
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

  it('a process that misses a message without noticing answers an older version until the near TTL at most', async () => {
    const [writing, reading] = [await startProcess('writing'), await startProcess('reading')];
    expect(await versionAt(reading)).toBe(1);
    await reading.untilQuiet();
    reading.loseMessages();
    const version = await write(writing);
    now += NEAR_LIFETIME_MILLISECONDS / 2;
    expect(await versionAt(reading)).toBe(1);
    now += NEAR_LIFETIME_MILLISECONDS / 2;
    expect(await versionAt(reading)).toBe(version);
  });

  it('a read through Redis or the database never gives an older version, in whatever process', async () => {
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

  /** A process that writes, and one that has the user in memory; entries do not end, because their clock stands still. */
  async function startPair() {
    const options = { commandTimeoutMilliseconds: COMMAND_TIMEOUT_MILLISECONDS };
    const writing = await startProcess('writing', options);
    const reading = await startProcess('reading', options);
    expect(await versionAt(reading)).toBe(1);
    await reading.untilQuiet();
    expect(reading.caching.near.count).toBe(1);
    return { writing, reading };
  }

  /** @returns what lets Redis go on; the end of the test does so too. */
  async function freezeRedis(): Promise<() => void> {
    const [, pid] = /process_id:(\d+)/.exec(await administrator.info('server')) ?? [];
    const thaw = () => void process.kill(Number(pid), 'SIGCONT');
    onTestFinished(thaw);
    process.kill(Number(pid), 'SIGSTOP');
    return thaw;
  }

  it('a process whose Redis is frozen answers out of its memory no longer than a heartbeat takes to be missed', async () => {
    const { reading, writing } = await startPair();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const thaw = await freezeRedis();
    const frozenAt = performance.now();
    const version = await write(writing);
    await servers.catchUp();
    while (reading.isOpen && performance.now() - frozenAt < NEAR_LIFETIME_MILLISECONDS) {
      await wait(1);
    }
    const took = performance.now() - frozenAt;
    delay.disable();
    const longestPause = delay.max / NANOSECONDS_PER_MILLISECOND;
    const bound = HEARTBEAT_MILLISECONDS + HEARTBEAT_GRACE_MILLISECONDS;
    expect(took).toBeLessThan(bound + 3 * longestPause + COMMAND_TIMEOUT_MILLISECONDS);
    expect(await versionAt(reading)).toBe(version);
    thaw();
    await reading.untilOpen();
  });

  it.each([
    ['full', 'maxmemory', '1'],
    ['without the replicas that writes need', 'min-replicas-to-write', '1'],
  ])(
    'while a Redis that is %s refuses writes, no process answers an older version, and Redis gets the write afterwards',
    async (_, setting, value) => {
      const { reading, writing } = await startPair();
      const other = await startProcess('other');
      const restore = () => administrator.config('SET', setting, '0');
      onTestFinished(async () => void (await restore()));
      await administrator.config('SET', setting, value);
      await expect(administrator.set('anything', 1)).rejects.toThrow(/OOM|NOREPLICAS/);
      for (let turn = 0; turn < 3; turn += 1) {
        const beganAt = performance.now();
        const version = await write(writing);
        for (const process of [reading, other]) {
          expect(await process.isNotifiedOf(id, version, beganAt)).toBe(true);
          expect(await versionAt(process)).toBe(version);
        }
      }
      await Promise.all([reading.untilQuiet(), other.untilQuiet()]);
      // A full Redis takes the old entry out; others refuse that as well.
      expect((await servers.entry(id)) === null).toBe(setting === 'maxmemory');
      // So long that a retry has failed too.
      await wait(1.5 * RETRY_INTERVAL_MILLISECONDS);
      await restore();
      // Nobody reads: the writer has to try again by itself.
      await eventually(async () => expect(String(await servers.entry(id))).toMatch(/^v4 /));
    },
  );

  it('a write after a hiccup of Redis is published, though reads still leave Redis alone', async () => {
    const { reading, writing } = await startPair();
    const ids = await servers.createUsers(5);
    const thaw = await freezeRedis();
    const reads: Promise<unknown>[] = [];
    for (const of of ids) {
      reads.push(writing.users.get(of));
      // Reads of one tick are one command, and one timeout.
      for (let tick = 0; tick < 3; tick += 1) await nextTick();
    }
    await Promise.all(reads);
    expect(writing.caching.metrics.redisSilences).toBe(ids.length);
    thaw();
    await administrator.ping();

    const version = await write(writing);
    // Before the write is answered, not by a retry.
    expect(String(await servers.entry(id))).toMatch(/^v2 /);
    await eventually(async () => expect(await versionAt(reading)).toBe(version));
  });
});
