import { Redis } from 'ioredis';
import type { LocalFailure } from '../local-failure.ts';
import type { Guardian } from '../process/guardian.ts';
import { redisInstallLine } from '../redis/install-hint.ts';
import { startRedis } from '../redis/redis.ts';
import type { LocalDirectories } from './directory.ts';
import type { RunningPart } from './running-part.ts';
import { withoutPassword } from './screen.ts';
import type { Settings } from './settings.ts';

export interface RedisPart extends RunningPart {
  /** Absent: the system runs without Redis. */
  readonly url?: string;
}

const PING_TIMEOUT_MILLISECONDS = 1_000;

/** Why a Redis does not respond to PING in time; null when it does. */
async function findPingFailure(
  url: string,
  { REDIS_USERNAME, REDIS_PASSWORD }: Settings['environment'],
): Promise<string | null> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: null,
    connectTimeout: PING_TIMEOUT_MILLISECONDS,
    commandTimeout: PING_TIMEOUT_MILLISECONDS,
    ...(REDIS_USERNAME ? { username: REDIS_USERNAME } : {}),
    ...(REDIS_PASSWORD ? { password: REDIS_PASSWORD } : {}),
  });
  // The client's own message says only that the connection is closed.
  let cause: Error | undefined;
  redis.on('error', (error: Error) => {
    cause = error;
  });
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(
    () => late.resolve(`no PONG in ${PING_TIMEOUT_MILLISECONDS} ms`),
    PING_TIMEOUT_MILLISECONDS,
  );
  const ping = async () => {
    try {
      await redis.ping();
      return null;
    } catch (error) {
      return cause?.message ?? (error instanceof Error ? error.message : String(error));
    }
  };
  try {
    return await Promise.race([ping(), late.promise]);
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}

/** The Redis of the settings, or one found on the PATH, or none: every part works without. */
export async function startRedisPart(
  settings: Settings,
  directories: LocalDirectories,
  guardian: Guardian,
  onFailure: (failure: LocalFailure) => void,
): Promise<RedisPart> {
  const stop = async () => {};
  if (settings.redisUrl !== undefined) {
    const where = `${withoutPassword(settings.redisUrl)} (REDIS_URL)`;
    const failure = await findPingFailure(settings.redisUrl, settings.environment);
    const notes =
      failure === null
        ? []
        : [`does not respond (${failure}): the system runs without it until it does`];
    return { url: settings.redisUrl, line: { name: 'Redis', where, notes }, stop };
  }
  const server = await startRedis({
    directory: directories.redis,
    guardian,
    onUnexpectedExit: onFailure,
  });
  if (server === null) {
    return {
      line: {
        name: 'Redis',
        where:
          'none: there is no redis-server or valkey-server on the PATH, and the system runs without',
        notes: [`to have one at the next start: ${redisInstallLine()}`],
      },
      stop,
    };
  }
  return {
    url: server.url,
    line: {
      name: 'Redis',
      where: `127.0.0.1:${server.port} (${server.program} ${server.version})`,
    },
    stop: () => server.stop(),
  };
}
