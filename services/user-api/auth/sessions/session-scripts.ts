/**
 * All sessions of a user are the fields of one hash in Redis, `sessions:<user id>`: one key, so that each script is atomic, works in a
 * cluster, and "log out everywhere" is one DEL. A field is the session's id; its value is JSON:
 *
 * - `current`, `previous`: hashes of the newest token and of the one before (empty at first)
 * - `salt`: what the newest token was made with; `rotatedAt`: when, in milliseconds of Redis's clock
 * - `beganAt`, `endsAt`, `idleEndsAt`: seconds since 1970; `generation`: of the account when the session began
 *
 * The time is Redis's, so that the clocks of processes don't matter. Scripts may read the time and write since Redis 5.
 *
 * The last of ARGV is the moment in milliseconds of Redis's clock after which a script does nothing and returns {'late'}, or 0 for none: a Redis that
 * was frozen runs what it was sent meanwhile, long after the request was refused.
 */
const PRELUDE = `
local time = redis.call('TIME')
local now = tonumber(time[1])
local nowMilliseconds = now * 1000 + math.floor(tonumber(time[2]) / 1000)
local runUntil = tonumber(ARGV[#ARGV])
if runUntil > 0 and nowMilliseconds > runUntil then return {'late'} end
local function ended(session) return session.endsAt <= now or session.idleEndsAt <= now end
`;

/** KEYS[1]: any key of the node whose time to read. Returns {seconds, microseconds}. */
export const REDIS_TIME = "return redis.call('TIME')";

/**
 * KEYS[1]: the user's sessions. ARGV: session id, hash of the first token, generation, seconds of life, seconds of idle life, most sessions, when it is too late.
 * Removes what has ended, and the least recently used one when there is no room. Returns {when the session began}.
 */
export const OPEN_SESSION = `${PRELUDE}
local count, oldest, oldestUse = 0, nil, nil
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local session = cjson.decode(fields[i + 1])
  if ended(session) then
    redis.call('HDEL', KEYS[1], fields[i])
  else
    count = count + 1
    if oldestUse == nil or session.rotatedAt < oldestUse then
      oldest, oldestUse = fields[i], session.rotatedAt
    end
  end
end
if count >= tonumber(ARGV[6]) then redis.call('HDEL', KEYS[1], oldest) end
local session = {
  current = ARGV[2], previous = '', salt = '', rotatedAt = nowMilliseconds, generation = tonumber(ARGV[3]),
  beganAt = now, endsAt = now + tonumber(ARGV[4]), idleEndsAt = now + tonumber(ARGV[5])
}
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(session))
redis.call('EXPIRE', KEYS[1], ARGV[5])
return {now}
`;

/**
 * KEYS[1]: the user's sessions. ARGV: session id, hash of the token that was sent, salt and hash of a successor, generation of the account,
 * seconds of idle life, grace in milliseconds, when it is too late.
 *
 * Returns {'rotated' | 'repeated', salt, seconds until the session ends, idle or not, when it began}, or {'unknown'}, or {'reused'} when
 * a used token came again: the session is gone then.
 */
export const ROTATE_SESSION = `${PRELUDE}
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then return {'unknown'} end
local session = cjson.decode(text)
if ended(session) or session.generation ~= tonumber(ARGV[5]) then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return {'unknown'}
end
if session.current == ARGV[2] then
  session.previous = session.current
  session.current = ARGV[4]
  session.salt = ARGV[3]
  session.rotatedAt = nowMilliseconds
  session.idleEndsAt = now + tonumber(ARGV[6])
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(session))
  redis.call('EXPIRE', KEYS[1], ARGV[6])
  return {'rotated', session.salt, math.min(session.endsAt, session.idleEndsAt) - now, session.beganAt}
end
if session.previous == ARGV[2] and nowMilliseconds - session.rotatedAt <= tonumber(ARGV[7]) then
  return {'repeated', session.salt, math.min(session.endsAt, session.idleEndsAt) - now, session.beganAt}
end
redis.call('HDEL', KEYS[1], ARGV[1])
return {'reused'}
`;
