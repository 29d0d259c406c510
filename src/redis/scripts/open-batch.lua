--@ lib clock
--@ lib rows
--@ lib messages
--[[ open-batch: a batch before its messages, with the template that they share. Repeating it changes nothing.
     KEYS 1 cell
     ARGV 1 batch id, 2 account, 3 channel, 4 messages to come, 5 template JSON ('' for none), then what most of its messages
          share, where its ids are those of its seed: 6 class, 7 sender, 8 due (ms, 0: at once), 9 expires (ms, 0: never)
     Reply 1 ]]
local key = cell .. 'bat:' .. ARGV[1]
if redis.call('EXISTS', key) == 1 then return 1 end
local now = keep_clock()
redis.call('HSET', key, 'account', ARGV[2], 'channel', ARGV[3], 'total', ARGV[4], 'bodies', ARGV[4], 'records', ARGV[4], 'created', now,
  'accepted', 0)
if ARGV[5] ~= '' then redis.call('HSET', key, 'template', ARGV[5]) end
if ARGV[6] then redis.call('HSET', key, 'head', shared_text(ARGV[2], ARGV[3], ARGV[6], ARGV[7], now, ARGV[8], ARGV[9])) end
-- For one of which nothing was accepted: it broke off, or all were refused, and whoever was told its id may ask for a day.
-- Once something was, it stays as long as that does (purge).
redis.call('EXPIRE', key, 86400)
return 1
