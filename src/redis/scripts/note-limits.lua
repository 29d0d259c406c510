--[[ note-limits: adds what one process has counted of limits on requests, and tells of callers that came to one. A batch that
     is sent again adds nothing.
     KEYS 1 cell
     ARGV 1 process, 2 the batch's number, from 1, 3 how many counts there are,
          then for each count: owner, day (of UTC, since 1970), field, requests; what is left are events, each in JSON
     Reply 1 noted | 0 it was before ]]
local cell, process, batch, counts = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
-- Longer than a process goes on sending one batch, and than the 30 days that are told of.
local REMEMBERED, KEPT, EVENTS = 3600, 31 * 86400, 10000
local noted = cell .. 'lim-noted:' .. process
if tonumber(redis.call('GET', noted) or '0') >= batch then return 0 end

redis.call('SET', noted, batch, 'EX', REMEMBERED)
for at = 4, counts * 4, 4 do
  local key = cell .. 'lim-use:' .. ARGV[at] .. ':' .. ARGV[at + 1]
  redis.call('HINCRBY', key, ARGV[at + 2], ARGV[at + 3])
  redis.call('EXPIRE', key, KEPT)
end
for at = 4 + counts * 4, #ARGV do
  redis.call('XADD', cell .. 'lim-events', 'MAXLEN', '~', EVENTS, '*', 'event', ARGV[at])
end
return 1
