--[[ api-keys-revoke: the key opens nothing from now on. Its record stays for a minute, so that saying it again, because the
     reply was lost, is answered alike.
     KEYS 1 cell        ARGV 1 account, 2 key id
     Reply 1 | 0 the account has no such key ]]
local cell, account, id = KEYS[1], ARGV[1], ARGV[2]
local key = cell .. 'key:' .. id
if redis.call('HGET', key, 'account') ~= account then return 0 end
redis.call('HSET', key, 'revoked', 1)
redis.call('EXPIRE', key, 60)
redis.call('SREM', cell .. 'keys:' .. account, id)
return 1
