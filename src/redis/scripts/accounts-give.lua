--[[ accounts-give: the account's rules are in force; others may change it.
     KEYS 1 cell        ARGV 1 account, 2 token
     Reply 1 given back (also when this is said again) | 0 somebody else has taken it since ]]
local cell, account, token = KEYS[1], ARGV[1], ARGV[2]
local acc = cell .. 'acc:' .. account
local busy, given = unpack(redis.call('HMGET', acc, 'busy', 'given'))
if (busy or given) ~= token then return 0 end
redis.call('HDEL', acc, 'busy', 'busy_until')
redis.call('HSET', acc, 'given', token)
redis.call('ZREM', cell .. 'changing', account)
return 1
