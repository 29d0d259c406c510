--@ lib clock
--[[ put-zone-row: the boundaries of a zone's windows ahead. The newest tz release wins: a process with older zone data must
     not undo what a newer one wrote.
     KEYS 1 cell
     ARGV 1 zone, 2 row ('<tz release>;h …;d …;m …')
     Reply 1 written | 0 there is one of a newer release ]]
local zone, row = ARGV[1], ARGV[2]
local old = redis.call('GET', cell .. 'zone:' .. zone)
if old and string.match(old, '^[^;]*') > string.match(row, '^[^;]*') then return 0 end
redis.call('SET', cell .. 'zone:' .. zone, row)
redis.call('SADD', cell .. 'zones', zone)
return 1
