import { Cluster, type Result } from 'ioredis';
import { gather } from '../../contracts/gathering/gather.ts';
import { currentSpan } from '../../contracts/tracing/trace-context.ts';
import { RAISE_SCRIPT } from './raise-script.ts';
import type { RedisClient } from './redis.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    raiseEntriesBuffer(
      numberOfKeys: number,
      ...keysAndArguments: (string | Buffer)[]
    ): Result<(Buffer | Error | null)[], Context>;
  }
}

/** An entry that is to be put into Redis, unless a newer one is there. */
export interface Raise {
  readonly key: string;
  readonly version: number;
  /** What stands in the entry before the time until which it is fresh. */
  readonly head: string;
  /** How long the body may be answered. */
  readonly freshMilliseconds: number;
  /** How long the entry is kept, which its version is a floor for. */
  readonly keptMilliseconds: number;
  readonly loadMilliseconds: number;
  readonly body: Uint8Array | null;
  /** What processes are told; empty: nothing. */
  readonly message: string;
}

/** So many entries at most in one run of the script, during which Redis answers nobody else. */
const RAISES_MAXIMUM = 50;

const NOTHING = new Uint8Array();

/** The lines of an entry, as {@link RAISE_SCRIPT} takes them. */
function linesOf(raise: Raise): string {
  const { body, freshMilliseconds, head, keptMilliseconds, loadMilliseconds } = raise;
  const milliseconds = `${freshMilliseconds}\n${keptMilliseconds}\n${loadMilliseconds}`;
  return `${raise.version}\n${head}\n${milliseconds}\n${body?.byteLength ?? 0}\n${raise.message}\n`;
}

/**
 * Makes the function that puts entries into Redis. Where there is no cluster, in which keys lie in different slots, what comes in the same turn
 * of the event loop is one run of the script; each entry is still set, refused, told of, or fails by itself.
 *
 * The function gives null when the entry went in, or the newer one that is there.
 *
 * @param channel - where processes are told.
 */
export function createRaise(
  redis: RedisClient,
  channel: string,
): (raise: Raise) => Promise<Buffer | null> {
  redis.defineCommand('raiseEntries', { lua: RAISE_SCRIPT });

  const raiseAll = (raises: readonly Raise[]) =>
    redis.raiseEntriesBuffer(
      raises.length,
      ...raises.map(({ key }) => key),
      channel,
      Buffer.concat(raises.map(({ body }) => body ?? NOTHING)),
      raises.map(linesOf).join(''),
    );
  const raiseAlone = async (raise: Raise) => {
    const [reply = null] = await raiseAll([raise]);
    if (reply instanceof Error) throw reply;
    return reply;
  };
  if (redis instanceof Cluster) return raiseAlone;
  const raiseTogether = gather(raiseAll, { maximum: RAISES_MAXIMUM, trace: 'none' });
  // A command of its own belongs to whoever's trace shows it.
  return (raise) => (currentSpan() === undefined ? raiseTogether(raise) : raiseAlone(raise));
}
