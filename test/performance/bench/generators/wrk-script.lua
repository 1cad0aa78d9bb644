-- Sends the requests in a file, one after the other, and prints what came of it as one line of JSON.
-- Arguments: method, file (path, tab, body on each line), place to start at (0 is the first line), then header names and values.

local requests = {}
local place = 0

function init(arguments)
  local method, file, headers = arguments[1], arguments[2], {}
  place = tonumber(arguments[3])
  for index = 4, #arguments, 2 do
    headers[arguments[index]] = arguments[index + 1]
  end
  for line in io.lines(file) do
    local path, body = line:match('^([^\t]*)\t?(.*)$')
    requests[#requests + 1] = wrk.format(method, path, headers, body ~= '' and body or nil)
  end
end

-- wrk asks for one before it begins, which it does not send.
function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,"p50":%d,"p99":%d,"p999":%d}\n',
    summary.requests, summary.duration,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)
  ))
end
