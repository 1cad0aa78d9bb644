import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Algorithm } from '../../../../../services/user-api/rate-limit/algorithms/algorithm.ts';
import { parseOutcomes } from '../../../../../services/user-api/rate-limit/algorithms/algorithm.ts';
import type { RateLimitOutcome } from '../../../../../services/user-api/rate-limit/decision.ts';
import type { ScriptSource } from '../../../../../services/user-api/redis/redis-script.ts';
import { RedisScript } from '../../../../../services/user-api/redis/redis-script.ts';
import { describeWithRedis } from '../../../../support/redis.ts';
import { connectToRedis } from './connect.ts';

/**
 * Lua in front of a script, so that keys expire on the timeline that is replayed: the lifetime that the script gives its key is noted beside it,
 * and the key is deleted when the timeline has reached its end. Everything else is Redis's own.
 */
const EXPIRY_ON_THE_TIMELINE = `
local server, timeline_now, deadline_key = redis, now, KEYS[1] .. ':deadline'
local deadline = server.call('GET', deadline_key)
if deadline and timeline_now >= tonumber(deadline) then
  server.call('DEL', KEYS[1], deadline_key)
end
local function note_lifetime(milliseconds)
  if tonumber(milliseconds) < 1 then error('lifetime of ' .. milliseconds) end
  server.call('SET', deadline_key, string.format('%.0f', timeline_now + tonumber(milliseconds)))
end
local redis = { call = function(command, key, value, option, lifetime)
  if command == 'SET' then
    note_lifetime(lifetime)
    return server.call('SET', key, value)
  end
  if command == 'PEXPIRE' then return note_lifetime(value) end
  if value == nil then return server.call(command, key) end
  return server.call(command, key, value)
end }
`;

export function onTimeline(script: ScriptSource): ScriptSource {
  return { name: script.name, body: `${EXPIRY_ON_THE_TIMELINE}${script.body}` };
}

async function replay(
  redis: Redis,
  algorithm: Algorithm,
  key: string,
  times: readonly number[],
  extra: (index: number) => readonly number[],
): Promise<RateLimitOutcome[]> {
  let now = 0;
  const script = new RedisScript(redis, onTimeline(algorithm.script), () => now);
  // Sent one behind the other without waiting; one connection keeps their order.
  const replies = times.map((time, index) => {
    now = time;
    return script.run(key, [...algorithm.scriptArguments, ...extra(index)]);
  });
  return (await Promise.all(replies)).flatMap((reply, index) =>
    // What only settles has an outcome, too.
    parseOutcomes(reply, Math.max(1, extra(index).at(-1) ?? 1)),
  );
}

/**
 * Runs the script of `algorithm` at each of `times`, with what `extra` adds to the arguments of each call; the last of that is the number of requests
 * that ask at once, which is one without it. Gives the outcomes of all requests.
 */
type Replay = (
  algorithm: Algorithm,
  times: readonly number[],
  extra?: (index: number) => readonly number[],
) => Promise<RateLimitOutcome[]>;

export interface Replays {
  /** On a key that nothing has used. */
  readonly replay: Replay;
  /** On the key of the last `replay`. */
  readonly replayOn: Replay;
}

/** A suite of replays on a Redis server of its own. */
export function describeReplays(name: string, suite: (replays: Replays) => void): void {
  describeWithRedis(name, (server) => {
    let redis: Redis;
    let keys = 0;
    beforeAll(async () => {
      redis = await connectToRedis(server().url);
    });
    afterAll(() => redis.disconnect());
    const replayOn: Replay = (algorithm, times, extra = () => [1]) =>
      replay(redis, algorithm, `${expect.getState().currentTestName}:${keys}`, times, extra);
    suite({
      replayOn,
      replay(...call) {
        keys += 1;
        return replayOn(...call);
      },
    });
  });
}
