-- The clock that tests move by hand, forward only: the same as clock.lua, but for where the time comes from.
local cell = KEYS[1]

local function read_clock()
  local given = redis.call('GET', cell .. 'test_clock')
  local time = redis.call('TIME')
  local now = tonumber(given or '') or tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local seen = tonumber(redis.call('GET', cell .. 'clock') or '0')
  return math.max(now, seen), now > seen
end

local function keep_clock()
  local now, is_later = read_clock()
  if is_later then redis.call('SET', cell .. 'clock', now) end
  return now
end
