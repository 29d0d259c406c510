--[[ api-keys-used: when a key was used last, of a key that is there: the record of one that has gone must not come back.
     KEYS 1 cell        ARGV 1 key id, 2 when (ms, a whole minute)
     Reply 1 | 0 there is no such key ]]
local key = KEYS[1] .. 'key:' .. ARGV[1]
local account, last = unpack(redis.call('HMGET', key, 'account', 'last_used_at'))
if not account then return 0 end
if tonumber(last or '0') < tonumber(ARGV[2]) then redis.call('HSET', key, 'last_used_at', ARGV[2]) end
return 1
