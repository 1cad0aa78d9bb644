import type { Result } from 'ioredis';
import { batched } from '../../contracts/batching/batcher.ts';
import { currentSpan } from '../../contracts/tracing/trace-context.ts';
import type { RedisClient } from '../redis/redis.ts';
import type { SharedEntry, VersionedEntry } from './versioned-cache.ts';

/**
 * How an entry is written in Redis: a line of text, and the body behind it as it is sent, so that one GET brings all and nothing is parsed.
 *
 * ```text
 * <kind><version> <representation> <fresh until> <load>\n<body>
 * v7 1 1795286400000 3\n{"id":1,…
 * ```
 *
 * - kind: `v` for a body, `d` where there is none: deleted, or unknown.
 * - representation: which bytes the body is made of. Releases that make other bytes share the key, and with it the version.
 * - fresh until: milliseconds since 1970, by Redis' clock.
 * - load: how long the load took, in milliseconds.
 */
const VALUE_KIND = 0x76; // v
const DELETED_KIND = 0x64; // d
const BLANK = 0x20;
const LINE_FEED = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
/** Longer than any head can be. */
const HEAD_MAXIMUM = 80;

/** So many characters at most. */
const VERSION_DIGITS = 10;
const REPRESENTATION_LENGTH = 8;
const TIME_DIGITS = 15;
const LOAD_DIGITS = 9;

/** The part of the head that stands before the time, which only Redis knows. */
export function headOf({ version, body }: VersionedEntry, representation: string): string {
  const kind = body === null ? DELETED_KIND : VALUE_KIND;
  return `${String.fromCharCode(kind)}${version} ${representation} `;
}

/**
 * @param representation - the one whose bodies this process can serve.
 * @param now - milliseconds since 1970.
 * @returns null for what is not an entry, such as the work of another program.
 */
export function decodeEntry(
  bytes: Buffer,
  representation: string,
  now: number,
): SharedEntry | null {
  const [kind] = bytes;
  if (kind !== VALUE_KIND && kind !== DELETED_KIND) return null;
  const versionEnd = fieldEnd(bytes, 1, BLANK);
  const madeAsEnd = fieldEnd(bytes, versionEnd + 1, BLANK);
  const freshUntilEnd = fieldEnd(bytes, madeAsEnd + 1, BLANK);
  const end = fieldEnd(bytes, freshUntilEnd + 1, LINE_FEED);
  const version = decimal(bytes, 1, versionEnd, VERSION_DIGITS);
  const freshUntil = decimal(bytes, madeAsEnd + 1, freshUntilEnd, TIME_DIGITS);
  const loadMilliseconds = decimal(bytes, freshUntilEnd + 1, end, LOAD_DIGITS);
  if (version < 0 || freshUntil < 0 || loadMilliseconds < 0) return null;
  if (!isRepresentation(bytes, versionEnd + 1, madeAsEnd)) return null;
  // That something is not there looks the same to every release.
  const isReadable =
    kind === DELETED_KIND || isText(bytes, versionEnd + 1, madeAsEnd, representation);
  const body = kind === VALUE_KIND ? bytes.subarray(end + 1) : null;
  return { version, body, fresh: now < freshUntil && isReadable, freshUntil, loadMilliseconds };
}

// Read byte by byte: a text of the head and a regular expression take several times as long, and each read in the shared cache comes by here.

/** Where the field ends that begins at `start`; where no head can be when it does not end. */
function fieldEnd(bytes: Buffer, start: number, terminator: number): number {
  for (let place = start; place < HEAD_MAXIMUM && place < bytes.length; place += 1) {
    if (bytes[place] === terminator) return place;
  }
  return HEAD_MAXIMUM;
}

/** The number from `start` to before `end`; -1 when it is none, or has too many digits. */
function decimal(bytes: Buffer, start: number, end: number, maximumDigits: number): number {
  if (end <= start || end - start > maximumDigits) return -1;
  let value = 0;
  for (let place = start; place < end; place += 1) {
    const byte = bytes[place] ?? 0;
    if (byte < ZERO || byte > NINE) return -1;
    value = value * 10 + (byte - ZERO);
  }
  return value;
}

function isRepresentation(bytes: Buffer, start: number, end: number): boolean {
  if (end <= start || end - start > REPRESENTATION_LENGTH) return false;
  for (let place = start; place < end; place += 1) {
    if ((bytes[place] ?? 0) <= BLANK) return false;
  }
  return true;
}

function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

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
  /** How long the body may be served. */
  readonly freshMilliseconds: number;
  /** How long the entry is kept, which its version is a minimum version for. */
  readonly keptMilliseconds: number;
  readonly loadMilliseconds: number;
  readonly body: Uint8Array | null;
  /** The invalidation message; empty: none is published. */
  readonly message: string;
}

/** So many entries at most in one run of the script, during which Redis serves nobody else. */
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
