--@ lib clock
--@ lib rows
--[[ stuck: what was released a while ago and not begun. Node asks BullMQ what became of each job.
     KEYS 1 cell
     ARGV 1 channel, 2 released longer ago than (ms), 3 at most so many
     Reply {id, release, job}… ; changes nothing ]]
local channel, age, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = read_clock()
local replies = {}
local before = string.format('%.0f', now - age)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', cell .. 'released:' .. channel, '-inf', before, 'LIMIT', 0, most)) do
  local x = row('x:' .. id)
  replies[#replies + 1] = { id, x.f.release or 0, x.f.job or '' }
end
return replies
