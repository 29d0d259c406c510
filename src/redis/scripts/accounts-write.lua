--@ lib clock
--@ lib audit
--[[ accounts-write: what an account states of itself. Only by who has taken it: a process that was frozen for longer than it
     may keep the account must not undo what others wrote since, and what the audit says was before would not be so.
     KEYS 1 cell
     ARGV 1 account, 2 token, then notes for the audit (how many, then each), then pairs: field, value
     Reply 1 written | 0 not, or no longer, taken by this caller | -1 its plan has been removed since ]]
local account, token = ARGV[1], ARGV[2]
local notes, rest = read_notes(3)
local acc = cell .. 'acc:' .. account
local busy, plan_before, removed = unpack(redis.call('HMGET', acc, 'busy', 'plan', 'removed'))
if busy ~= token then return 0 end
local plan
for at = rest, #ARGV, 2 do
  if ARGV[at] == 'plan' then plan = ARGV[at + 1] end
end
-- Looked at where it is written: between a caller's look and its write the plan may go.
if plan and plan ~= '' and redis.call('HGET', cell .. 'plans:set', plan) == 'null' then return -1 end

redis.call('HSET', acc, unpack(ARGV, rest))
redis.call('ZADD', cell .. 'accounts', 0, account)
if plan and plan_before and plan_before ~= '' and plan_before ~= plan then
  redis.call('SREM', cell .. 'plan:' .. plan_before, account)
end
if plan and plan ~= '' and removed ~= '1' then redis.call('SADD', cell .. 'plan:' .. plan, account) end
write_notes(notes, keep_clock())
return 1
