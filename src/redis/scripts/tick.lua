--@ lib clock
--@ lib home
--@ lib rows
--@ lib messages
--@ lib workers
--@ lib ahead
--[[ tick: is there anything to do, on any channel, and when must somebody look again? Reads only: an idle cell costs this
     call twice a second, whatever waits in it.
     KEYS 1 cell
     ARGV 1 body retention (ms), 2 retention (ms), then the channels
     Reply {channels to release, expire (0|1), reap (0|1), purge (0|1), ms to the next instant (-1: none),
            for how long the oldest released message has been so, ms (-1: none is), a provider to ask (0|1),
            {the server that this is, home.at, home.generation}} ]]
local body_retention, retention = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = read_clock()
local ready, is_ready, next = {}, {}, -1

local function call_for(channel)
  if channel and not is_ready[channel] then
    is_ready[channel] = true
    ready[#ready + 1] = channel
  end
end

local function sooner(at)
  if at < math.huge and (next < 0 or at < next) then next = at end
end

-- The head of a sorted set: is it due?
local function due(set)
  local head = redis.call('ZRANGE', cell .. set, 0, 0, 'WITHSCORES')
  if not head[1] then return nil end
  local at = tonumber(head[2])
  if at <= now then return head[1] end
  sooner(at)
  return nil
end

local function purge_due(list, length)
  local head = redis.call('LINDEX', cell .. list, 0)
  if not head then return false end
  local at = tonumber(string.match(head, '^%d+')) + length
  if at > now then sooner(at) end
  return at <= now
end

local id = due('scheduled')
if id then
  local m = message(id)
  call_for(m and m.channel or ARGV[3])
end
local parked = due('parked')
if parked then call_for(string.match(parked, '^A|.*|([^|]+)$') or string.match(parked, '^L|[^:]+:([^:]+):')) end

local released_for = -1
for i = 3, #ARGV do
  local channel = ARGV[i]
  local since = tonumber(redis.call('ZRANGE', cell .. 'released:' .. channel, 0, 0, 'WITHSCORES')[2])
  if since then released_for = math.max(released_for, now - since) end
  if redis.call('EXISTS', cell .. 'ring:' .. channel .. ':a') == 1 or redis.call('EXISTS', cell .. 'ring:' .. channel .. ':h') == 1 then
    local rate = row('rate:' .. channel).f
    local closed = rate.closed or 0
    if closed > now then
      sooner(closed)
    elseif rate.paused ~= 1 then
      local target = TWICE * live_workers(channel, now)
      if rate.interval then target = math.min(target, math.max(1, math.floor(RELEASE_AHEAD / rate.interval))) end
      if redis.call('ZCARD', cell .. 'released:' .. channel) < target then call_for(channel) end
    end
  end
end
local expire, reap, ask = due('expiring') ~= nil, due('sending') ~= nil, due('asking') ~= nil
local purge = purge_due('spent', body_retention)
purge = purge_due('ended', retention) or purge
return { ready, expire and 1 or 0, reap and 1 or 0, purge and 1 or 0, next < 0 and -1 or math.max(1, math.ceil(next - now)), released_for,
  ask and 1 or 0, { server_here(), unpack(redis.call('HMGET', cell .. 'home', 'at', 'generation')) } }
