/**
 * Sets each of KEYS to an entry unless a newer one is there, which is returned in its place; so is one of the same version when the new one
 * would not be fresh. What cannot be read as an entry is replaced. Versions are compared as numbers, exact below 2^53. The reply has for each key
 * nil, the entry that stood in the way, or the error that only this key met.
 *
 * ARGV: 1 channel; then for each key: 1 version, 2 head up to the time, 3 how long the body is fresh, 4 how long the entry is kept, 5 how long the
 * load took (all milliseconds), 6 body, 7 message; an empty message tells nobody.
 *
 * - The time is Redis' own, so that no process's clock makes an entry fresh for longer. Scripts may read it and write since Redis 5
 *   (https://redis.io/docs/latest/develop/programmability/eval-intro/, "Script replication").
 * - A load does not shorten how long a write's entry is kept: it is the floor for readers that are behind.
 * - To set and to tell is one step: whoever is told finds the new entry, and whoever found the old one is told afterwards. In a
 *   Redis Cluster PUBLISH in a script reaches the subscribers of every node, and all keys have to be in one slot: there it is given one.
 * - A key may come twice: the entries take effect in their order.
 */
export const RAISE_SCRIPT = `
local channel = ARGV[1]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function raise(key, version, head, fresh, kept, load, body, message)
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

local replies = {}
for index, key in ipairs(KEYS) do
  local first = 2 + (index - 1) * 7
  local done, reply = pcall(raise, key, unpack(ARGV, first, first + 6))
  if not done and type(reply) ~= 'table' then reply = redis.error_reply(tostring(reply)) end
  replies[index] = reply
end
return replies
`;
