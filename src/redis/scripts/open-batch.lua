--@ lib clock
--[[ open-batch: a batch before its messages, with the template that they share. Repeating it changes nothing.
     KEYS 1 cell
     ARGV 1 batch id, 2 account, 3 channel, 4 messages to come, 5 template JSON ('' for none)
     Reply 1 ]]
local key = cell .. 'bat:' .. ARGV[1]
if redis.call('EXISTS', key) == 1 then return 1 end
redis.call('HSET', key, 'account', ARGV[2], 'channel', ARGV[3], 'total', ARGV[4], 'bodies', ARGV[4], 'records', ARGV[4], 'created', keep_clock())
-- The counts take it away (purge); this is for a batch whose acceptance broke off half-way. A year ahead, and a month.
-- One without messages, all of them refused, is never counted down: whoever was told its id may ask for a day.
redis.call('EXPIRE', key, ARGV[4] == '0' and 86400 or 34560000)
if ARGV[5] ~= '' then redis.call('HSET', key, 'template', ARGV[5]) end
return 1
