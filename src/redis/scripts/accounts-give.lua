--[[ accounts-give: others may change the account again. What stays in `changing` is completed by whoever comes next.
     KEYS 1 cell
     ARGV 1 account, 2 token, 3 'whole': its rules are in force | 'half': they may be half set
     Reply 1 given back (also when this is said again) | 0 somebody else has taken it since ]]
local cell, account, token, is_whole = KEYS[1], ARGV[1], ARGV[2], ARGV[3] == 'whole'
local acc = cell .. 'acc:' .. account
local busy, given = unpack(redis.call('HMGET', acc, 'busy', 'given'))
if (busy or given) ~= token then return 0 end
redis.call('HDEL', acc, 'busy', 'busy_until')
redis.call('HSET', acc, 'given', token)
if is_whole then redis.call('ZREM', cell .. 'changing', account) end
return 1
