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

/** The Redis that the settings name, or one found on the PATH, or none: every part can do without. */
export async function startRedisPart(
  settings: Settings,
  directories: LocalDirectories,
  guardian: Guardian,
  onFailure: (failure: LocalFailure) => void,
): Promise<RedisPart> {
  const stop = async () => {};
  if (settings.redisUrl !== undefined) {
    const where = `${withoutPassword(settings.redisUrl)} (REDIS_URL)`;
    return { url: settings.redisUrl, line: { name: 'Redis', where }, stop };
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
