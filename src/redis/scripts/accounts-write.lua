--[[ accounts-write: what an account states of itself. Only by who has taken it: a process that was frozen for longer than it
     may keep the account must not undo what others wrote since.
     KEYS 1 cell
     ARGV 1 account, 2 token, then pairs: field, value
     Reply 1 written | 0 not, or no longer, taken by this caller ]]
local cell, account, token = KEYS[1], ARGV[1], ARGV[2]
local acc = cell .. 'acc:' .. account
if redis.call('HGET', acc, 'busy') ~= token then return 0 end
redis.call('HSET', acc, unpack(ARGV, 3))
redis.call('ZADD', cell .. 'accounts', 0, account)
return 1
