--@ lib clock
--[[ beat: this worker lives. Depth (what is released and not begun) follows the hands that live.
     KEYS 1 cell
     ARGV 1 live (1) or gone (0), then members '<worker>:<channel>:<concurrency>'
     Reply workers' members that live ]]
local live = ARGV[1] == '1'
local now = keep_clock()
for i = 2, #ARGV do
  if live then redis.call('ZADD', cell .. 'workers', now, ARGV[i]) else redis.call('ZREM', cell .. 'workers', ARGV[i]) end
end
redis.call('ZREMRANGEBYSCORE', cell .. 'workers', '-inf', string.format('%.0f', now - 60000))
return redis.call('ZCOUNT', cell .. 'workers', '(' .. string.format('%.0f', now - 6000), '+inf')
