--[[ api-keys-add: a key of an account that is there. Its id was made before: repeating this changes nothing.
     KEYS 1 cell        ARGV 1 account, 2 key id, then pairs: field, value
     Reply 1 | 0 there is no such account, or it is being removed ]]
local cell, account, id = KEYS[1], ARGV[1], ARGV[2]
local name, removed = unpack(redis.call('HMGET', cell .. 'acc:' .. account, 'name', 'removed'))
if not name or removed == '1' then return 0 end
redis.call('HSET', cell .. 'key:' .. id, 'account', account, unpack(ARGV, 3))
redis.call('SADD', cell .. 'keys:' .. account, id)
return 1
