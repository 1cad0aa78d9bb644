import type { Result } from 'ioredis';
import { batched } from '../../contracts/batching/batcher.ts';
import { currentSpan } from '../../contracts/tracing/trace-context.ts';
import type { RedisClient } from '../redis/redis.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    setEntriesIfNewerBuffer(
      numberOfKeys: number,
      ...keysAndArguments: (string | Buffer)[]
    ): Result<(Buffer | Error | null)[], Context>;
  }
}

/**
 * Sets each of KEYS to an entry unless a newer one is there, which is returned in its place; so is one of the same version when the new one
 * would not be fresh. What cannot be read as an entry is replaced. Versions are compared as numbers, exact below 2^53. The reply has for each key
 * nil, the entry that stood in the way, or the error that only this key met.
 *
 * ARGV: 1 channel, 2 all bodies, one after the other, 3 for each key seven lines: version, head up to the time, how long the body is fresh, how long
 * the entry is kept, how long the load took (all milliseconds), the length of the body in bytes, message; an empty message is not published. So few, because
 * what the client does for each argument takes longer than all else.
 *
 * - The time is Redis' own, so that no process's clock makes an entry fresh for longer. Scripts may read it and write since Redis 5
 *   (https://redis.io/docs/latest/develop/programmability/eval-intro/, "Script replication").
 * - A load does not shorten how long a write's entry is kept: it is the minimum version for readers that are behind.
 * - Setting and publishing is one step: a notified process finds the new entry, and one that found the old entry is notified afterwards. In a
 *   Redis Cluster PUBLISH in a script reaches the subscribers of every node, and all keys have to be in one slot: there it is given one.
 * - A key may come twice: the entries take effect in their order.
 * - Redis may refuse writes while it serves reads (OOM, NOREPLICAS). Then a written key's old entry is dropped if it can be (OOM allows
 *   UNLINK), and processes are notified all the same: these do not refuse PUBLISH, and a process that knows the version accepts no older entry. Entries are dropped
 *   after all SETs, because a script that has written is let past maxmemory. A retry notifies only if it drops something, or each one would notify.
 */
const SET_IF_NEWER_SCRIPT = `
local channel, bodies = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function set_if_newer(key, version, head, fresh, kept, load, body, message)
  local current = redis.call('GET', key)
  kept = tonumber(kept)
  if current then
    local held = tonumber(string.match(current, '^[vd](%d+) '))
    if held and held > tonumber(version) then return current end
    if held == tonumber(version) and fresh == '0' then return current end
    kept = math.max(kept, redis.call('PTTL', key))
  end
  local entry = head .. string.format('%.0f', now + tonumber(fresh)) .. ' ' .. load .. '\\n' .. body
  redis.call('SET', key, entry, 'PX', string.format('%.0f', kept))
  if message ~= '' then redis.call('PUBLISH', channel, message) end
  return false
end

local replies, refused = {}, {}
local lines = '(%d+)\\n([^\\n]*)\\n(%d+)\\n(%d+)\\n(%d+)\\n(%d+)\\n([^\\n]*)\\n'
local start = 1
for version, head, fresh, kept, load, length, message in string.gmatch(ARGV[3], lines) do
  local key = KEYS[#replies + 1]
  local body = string.sub(bodies, start, start + length - 1)
  start = start + length
  local done, reply = pcall(set_if_newer, key, version, head, fresh, kept, load, body, message)
  if not done then
    if type(reply) ~= 'table' then reply = redis.error_reply(tostring(reply)) end
    if message ~= '' then refused[#refused + 1] = { key, message, fresh ~= '0' } end
  end
  replies[#replies + 1] = reply
end
for _, entry in ipairs(refused) do
  local key, message, isFirst = unpack(entry)
  local dropped = redis.pcall('UNLINK', key) == 1
  if isFirst or dropped then redis.call('PUBLISH', channel, message) end
end
return replies
`;

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
  /** The invalidation message; empty: none is published. */
  readonly message: string;
}

/** So many entries at most in one run of the script, during which Redis answers nobody else. */
const UPDATES_MAXIMUM = 50;

const NOTHING = new Uint8Array();

/** The lines of an entry, as {@link SET_IF_NEWER_SCRIPT} takes them. */
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
 * @param channel - of the invalidation messages.
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
