import { afterAll, beforeAll, describe, inject } from 'vitest';
import { type Guardian, startGuardian } from '../../services/local/process/guardian.ts';
import { redisInstallLine } from '../../services/local/redis/install-hint.ts';
import { type Redis, startRedis } from '../../services/local/redis/redis.ts';
import { describeWithout } from './missing-program.ts';

/** The Redis server of one suite. */
export interface SuiteRedis {
  /** Stays the same when the server is stopped and started again. */
  readonly url: string;
  /** Stops the server, as an outage does. */
  stop(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
}

/**
 * A `describe` for suites that need Redis. Each gets a server of its own, started in some milliseconds: a key space
 * could be shared by prefix or number, but not pub/sub, scripts, FLUSHALL, or being stopped.
 * Without a Redis on this machine the suite is skipped, and says so; under `CI=true` it fails.
 * @param options.timeout - of each test, in milliseconds. @default vitest's
 * @param suite called with a function that gives the server; call it in hooks and tests, not before.
 */
export function describeWithRedis(
  name: string,
  suite: (redis: () => SuiteRedis) => void,
  options: { readonly timeout?: number } = {},
): void {
  const program = inject('system').redis;
  if (program === null) {
    const reason = `it needs a redis-server or valkey-server on the PATH; to install one: ${redisInstallLine()}`;
    describeWithout(name, reason, () =>
      suite(() => {
        throw new Error(reason);
      }),
    );
    return;
  }
  describe(name, options, () => {
    let guardian: Guardian | undefined;
    let current: SuiteRedis | undefined;

    beforeAll(async () => {
      guardian = startGuardian();
      current = await startSuiteRedis(guardian);
    });
    afterAll(async () => {
      await current?.stop();
      await guardian?.close();
    });

    suite(() => {
      if (!current) throw new Error('The Redis of a suite is there in hooks and tests only');
      return current;
    });
  });
}

async function startSuiteRedis(guardian: Guardian): Promise<SuiteRedis> {
  const directory = guardian.createTemporaryDirectory('headroom-test-redis-');
  const start = async (port: number): Promise<Redis> => {
    const redis = await startRedis({ directory, guardian, port, program: inject('system').redis });
    if (!redis) throw new Error('The Redis server that was there is gone');
    return redis;
  };
  let redis = await start(0);
  return {
    url: redis.url,
    stop: () => redis.stop(),
    async start() {
      redis = await start(redis.port);
    },
  };
}
