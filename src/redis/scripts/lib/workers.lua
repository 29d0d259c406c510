-- Workers: '<worker>:<channel>:<concurrency>' for each channel of each process, by their last beat.
local BEAT_OUTLIVES = 6000 -- ms after which a worker that does not beat is dead

local function beating_since(now)
  return '(' .. string.format('%.0f', now - BEAT_OUTLIVES)
end

-- Of a channel: how many attempts they make at a time, and in how many processes.
local function live_workers(channel, now)
  local hands, processes = 0, 0
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', cell .. 'workers', beating_since(now), '+inf')) do
    local on, concurrency = string.match(member, ':([^:]+):(%d+)$')
    if on == channel then hands, processes = hands + tonumber(concurrency), processes + 1 end
  end
  return hands, processes
end
