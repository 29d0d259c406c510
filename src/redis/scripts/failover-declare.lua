--@ lib clock
--@ lib home
--@ lib workers
--[[ failover-declare: this cell is on another server than before, or has gone backwards. Sending is held until every worker
     that lived has said what it knows. Whoever comes first declares it; repeating it changes nothing.
     KEYS 1 cell
     ARGV 1 the newest generation that the caller has seen
     Reply {'home' | 'declared' | 'held', how many moves so far, generation} ]]
local seen = tonumber(ARGV[1])
-- Further than a server can have given out between two looks: no job id comes twice (BullMQ keeps old ones, and ignores
-- a job whose id it knows).
local SEQ_LEAP = 1000000
local home, here = cell .. 'home', server_here()
local at, to, generation, moves = unpack(redis.call('HMGET', home, 'at', 'to', 'generation', 'moves'))
generation, moves = tonumber(generation or '0'), tonumber(moves or '0')
local went_back = seen > generation
if not at and not went_back then
  redis.call('HSET', home, 'at', here)
  at = here
end
if at == here and not went_back then return { 'home', moves, generation } end

if went_back then redis.call('HSET', home, 'at', ELSEWHERE, 'generation', seen, 'lost', 1) end
if to == here then return { 'held', moves, math.max(generation, seen) } end
local time = redis.call('TIME')
redis.call('HSET', home, 'to', here, 'since', time[1] * 1000 + math.floor(time[2] / 1000), 'moves', moves + 1)
redis.call('INCRBY', cell .. 'seq', SEQ_LEAP)
-- Who lived when the last of what is here was written, however long ago that is.
redis.call('DEL', cell .. 'awaited')
local newest = tonumber(redis.call('ZREVRANGE', cell .. 'workers', 0, 0, 'WITHSCORES')[2] or '0')
for _, member in ipairs(redis.call('ZRANGEBYSCORE', cell .. 'workers', beating_since(newest), '+inf')) do
  redis.call('SADD', cell .. 'awaited', string.match(member, '^[^:]+'))
end
return { 'declared', moves + 1, math.max(generation, seen) }
