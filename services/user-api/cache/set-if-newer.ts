import type { Result } from 'ioredis';
import { batched } from '../../contracts/batching/batcher.ts';
import { currentSpan } from '../../contracts/tracing/trace-context.ts';
import type { RedisClient } from '../redis/redis.ts';
import { SET_IF_NEWER_SCRIPT } from './set-if-newer-script.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    setEntriesIfNewerBuffer(
      numberOfKeys: number,
      ...keysAndArguments: (string | Buffer)[]
    ): Result<(Buffer | Error | null)[], Context>;
  }
}

/** An entry that is to be put into Redis, unless a newer one is there. */
export interface EntryUpdate {
  readonly key: string;
  readonly version: number;
  /** What stands in the entry before the time until which it is fresh. */
  readonly head: string;
  /** How long the body may be answered. */
  readonly freshMilliseconds: number;
  /** How long the entry is kept, which its version is a minimum version for. */
  readonly keptMilliseconds: number;
  readonly loadMilliseconds: number;
  readonly body: Uint8Array | null;
  /** What processes are told; empty: nothing. */
  readonly message: string;
}

/** So many entries at most in one run of the script, during which Redis answers nobody else. */
const UPDATES_MAXIMUM = 50;

const NOTHING = new Uint8Array();

/** The lines of an entry, as {@link RAISE_SCRIPT} takes them. */
function linesOf(update: EntryUpdate): string {
  const { body, freshMilliseconds, head, keptMilliseconds, loadMilliseconds } = update;
  const milliseconds = `${freshMilliseconds}\n${keptMilliseconds}\n${loadMilliseconds}`;
  return `${update.version}\n${head}\n${milliseconds}\n${body?.byteLength ?? 0}\n${update.message}\n`;
}

/**
 * Makes the function that puts entries into Redis. Where there is no cluster, in which keys lie in different slots, what comes in the same tick
 * of the event loop is one run of the script; each entry is still set, refused, notified of, or fails by itself.
 *
 * The function gives null when the entry went in, or the newer one that is there.
 *
 * @param channel - where processes are told.
 */
export function createSetIfNewer(
  redis: RedisClient,
  channel: string,
): (update: EntryUpdate) => Promise<Buffer | null> {
  redis.defineCommand('setEntriesIfNewer', { lua: SET_IF_NEWER_SCRIPT });

  const setAll = (updates: readonly EntryUpdate[]) =>
    redis.setEntriesIfNewerBuffer(
      updates.length,
      ...updates.map(({ key }) => key),
      channel,
      Buffer.concat(updates.map(({ body }) => body ?? NOTHING)),
      updates.map(linesOf).join(''),
    );
  const setAlone = async (update: EntryUpdate) => {
    const [reply = null] = await setAll([update]);
    if (reply instanceof Error) throw reply;
    return reply;
  };
  if (redis.isCluster) return setAlone;
  const setBatched = batched(setAll, { maximum: UPDATES_MAXIMUM, trace: 'none' });
  // In a recorded trace the command is a span of this request alone.
  return (update) => (currentSpan() === undefined ? setBatched(update) : setAlone(update));
}
