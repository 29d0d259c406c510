-- Time: the larger of Redis's own clock and the largest instant this cell has seen (a failover to a machine whose clock
-- is behind must not reopen a window). Workers' clocks decide nothing. Milliseconds since the epoch.
local cell = KEYS[1]

local function read_clock()
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local seen = tonumber(redis.call('GET', cell .. 'clock') or '0')
  return math.max(now, seen), now > seen
end

-- Scripts that write keep what they saw; those that only read do not (an idle cell writes nothing).
local function keep_clock()
  local now, is_later = read_clock()
  if is_later then redis.call('SET', cell .. 'clock', now) end
  return now
end
