--@ lib clock
--[[ put-zone-row: the boundaries of a zone's windows ahead. The newest tz release wins: a process with older zone data must
     not undo what a newer one wrote, until that has run out. Then whoever wrote it is gone, and nobody else will.
     KEYS 1 cell
     ARGV 1 zone, 2 row ('<tz release>;h …;d …;m …')
     Reply 1 written | 0 there is one of a newer release that holds ]]
local zone, row = ARGV[1], ARGV[2]
local old = redis.call('GET', cell .. 'zone:' .. zone)
local hours_end, days_end = string.match(old or '', '(%d+);d .-(%d+);m')
local holds = hours_end and math.min(tonumber(hours_end), tonumber(days_end)) > read_clock()
if holds and string.match(old, '^[^;]*') > string.match(row, '^[^;]*') then return 0 end
redis.call('SET', cell .. 'zone:' .. zone, row)
redis.call('SADD', cell .. 'zones', zone)
return 1
