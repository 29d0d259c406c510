--@ lib clock
--@ lib making-room
--@ lib home
--@ lib workers
--[[ beat: this worker lives. Depth (what is released and not begun) follows the hands that live.
     Counts the cell's generation up: whoever has seen a newer one than the cell has knows that it went backwards.
     KEYS 1 cell
     ARGV 1 live (1) or gone (0), 2 the newest generation that the worker has seen,
          then members '<worker>:<channel>:<concurrency>'
     Reply how many members live ]]
local live, seen = ARGV[1] == '1', tonumber(ARGV[2])
local now = keep_clock()
local generation = tonumber(redis.call('HGET', cell .. 'home', 'generation') or '0')
if seen > generation then redis.call('HSET', cell .. 'home', 'at', ELSEWHERE, 'lost', 1) end
if live and seen + 1 > generation then redis.call('HSET', cell .. 'home', 'generation', seen + 1) end
for i = 3, #ARGV do
  if live then redis.call('ZADD', cell .. 'workers', now, ARGV[i]) else redis.call('ZREM', cell .. 'workers', ARGV[i]) end
end
redis.call('ZREMRANGEBYSCORE', cell .. 'workers', '-inf', string.format('%.0f', now - 60000))
return redis.call('ZCOUNT', cell .. 'workers', beating_since(now), '+inf')
