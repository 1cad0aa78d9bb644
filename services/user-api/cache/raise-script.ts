/**
 * Sets KEYS[1] to an entry of version ARGV[1] unless a newer one is there, which is returned; so is one of the same version when the new one
 * would not be fresh. What cannot be read as an entry is replaced. Versions are compared as numbers, exact below 2^53.
 *
 * ARGV: 1 version, 2 head up to the time, 3 how long the body is fresh, 4 how long the entry is kept, 5 how long the load took (all
 * milliseconds), 6 body, 7 channel, 8 message; an empty channel tells nobody.
 *
 * - The time is Redis' own, so that no process's clock makes an entry fresh for longer. Scripts may read it and write since Redis 5
 *   (https://redis.io/docs/latest/develop/programmability/eval-intro/, "Script replication").
 * - A load does not shorten how long a write's entry is kept: it is the floor for readers that are behind.
 * - To set and to tell is one step: whoever is told finds the new entry, and whoever found the old one is told afterwards. In a
 *   Redis Cluster PUBLISH in a script reaches the subscribers of every node, and the key is the only one.
 */
export const RAISE_SCRIPT = `
local current = redis.call('GET', KEYS[1])
if current then
  local version = tonumber(string.match(current, '^[vd](%d+) '))
  if version and version > tonumber(ARGV[1]) then return current end
  if version == tonumber(ARGV[1]) and ARGV[3] == '0' then return current end
end
local time = redis.call('TIME')
local freshUntil = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[3])
local kept = math.max(tonumber(ARGV[4]), redis.call('PTTL', KEYS[1]))
local entry = ARGV[2] .. string.format('%.0f', freshUntil) .. ' ' .. ARGV[5] .. '\\n' .. ARGV[6]
redis.call('SET', KEYS[1], entry, 'PX', string.format('%.0f', kept))
if ARGV[7] ~= '' then redis.call('PUBLISH', ARGV[7], ARGV[8]) end
return false
`;
