--@ lib clock
--[[ accounts-take: lets one caller change an account's rules, for a while; whoever else wants to must wait. What is taken
     stands in `changing` until it is given back, so that the changes of a process that died can be completed.
     KEYS 1 cell
     ARGV 1 account, 2 token of this caller, 3 how long at most (ms), 4 'new' for an account that is not there yet
     Reply 'unknown' | 'removing' | 'exists' (for a new one) | 'busy' | 'taken' ]]
local account, token, length, is_new = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == 'new'
local acc = cell .. 'acc:' .. account
local now = keep_clock()
local name, removed, busy, busy_until = unpack(redis.call('HMGET', acc, 'name', 'removed', 'busy', 'busy_until'))
local is_busy = busy and busy ~= token and tonumber(busy_until) > now

if removed == '1' then return 'removing' end
if is_new and name then return 'exists' end
if is_busy then return 'busy' end
if not is_new and not name then
  -- Its maker died before it had a name: nobody was told of it.
  if busy then redis.call('DEL', acc) end
  redis.call('ZREM', cell .. 'changing', account)
  return 'unknown'
end
redis.call('HSET', acc, 'busy', token, 'busy_until', now + length)
redis.call('ZADD', cell .. 'changing', now, account)
return 'taken'
