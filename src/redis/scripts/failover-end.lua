--@ lib clock
--@ lib home
--[[ failover-end: a worker has handed in what it knows. The last one ends the failover, and sending goes on; so does anyone
     once those who have not spoken have had their time: they are dead, or lost Redis for longer.
     KEYS 1 cell
     ARGV 1 worker, 2 whether it found something lost (0|1), 3 how long the others are waited for (ms)
     Reply {'home' (it has ended) | 'held' | 'ended', workers that have not spoken, whether anything was lost (0|1)} ]]
local worker, found_lost, patience = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])
local now = keep_clock()
local home, here = cell .. 'home', server_here()
local at, to, since = unpack(redis.call('HMGET', home, 'at', 'to', 'since'))
if at == here then return { 'home', 0, 0 } end
if to ~= here then return { 'held', 0, 0 } end -- another server again: to be declared

redis.call('SREM', cell .. 'awaited', worker)
if found_lost then redis.call('HSET', home, 'lost', 1) end
local silent = redis.call('SCARD', cell .. 'awaited')
local lost = redis.call('HEXISTS', home, 'lost')
-- A length of time on this one server: its own clock, not the cell's, which may stand still.
local time = redis.call('TIME')
if silent > 0 and time[1] * 1000 + math.floor(time[2] / 1000) < since + patience then return { 'held', silent, lost } end
redis.call('HSET', home, 'at', here)
redis.call('HDEL', home, 'to', 'since', 'lost')
redis.call('DEL', cell .. 'awaited')
if lost == 1 then
  redis.call('HINCRBY', home, 'lost_moves', 1)
  redis.call('HSET', home, 'lost_at', string.format('%.0f', now))
end
return { 'ended', silent, lost }
