-- Reads of users for wrk (https://github.com/wg/wrk), nine in ten from a tenth of the users:
--
--   wrk --threads 2 --connections 50 --duration 30s --latency --script test/performance/load/users.lua http://127.0.0.1:3000
--
-- Behind `--`: the highest id (default 1000), then headers as name and value, such as a token:
--
--   wrk … http://127.0.0.1:3000 -- 1000 authorization 'Bearer …'
--
-- The API limits how much one address may ask for; start it with high limits: npm start -- --high-limits

local REQUESTS = 10000
local POPULAR_SHARE = 0.9

local requests = {}
local place = 0
local threads = 0
local statuses = {}
local seed = 0

-- Each thread has its own global variables, and setup runs before them.
function setup(thread)
  threads = threads + 1
  thread:set('seed', threads)
  table.insert(statuses, thread)
end

function init(arguments)
  local users = tonumber(arguments[1] or '1000')
  local headers = {}
  for index = 2, #arguments, 2 do
    headers[arguments[index]] = arguments[index + 1]
  end
  math.randomseed(seed)
  for index = 1, REQUESTS do
    local highest = math.random() < POPULAR_SHARE and math.max(1, math.floor(users / 10)) or users
    requests[index] = wrk.format('GET', '/api/v1/users/' .. math.random(highest), headers)
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end

limited = 0

function response(status)
  if status == 429 then limited = limited + 1 end
end

function done(summary)
  local all = 0
  for _, thread in ipairs(statuses) do all = all + thread:get('limited') end
  if all > 0 then
    io.write(string.format('%d of %d requests were answered 429: the API limits them\n', all, summary.requests))
  end
end
