--@ lib clock
--@ lib audit
--[[ accounts-mark-removed: from now on nothing is accepted for the account, and its keys open nothing. Without force only
     while no message of it is open: looking and marking are one step, so that none can be accepted in between.
     KEYS 1 cell        ARGV 1 account, 2 force (0|1), then notes for the audit
     Reply -1 unknown | -2 marked (also before) | how many messages are open: not marked ]]
local account, force = ARGV[1], ARGV[2] == '1'
local notes = read_notes(3)
local acc = cell .. 'acc:' .. account
local name, open, removed, plan = unpack(redis.call('HMGET', acc, 'name', 'open', 'removed', 'plan'))
if not name then return -1 end
if removed == '1' then return -2 end
if not force and tonumber(open or '0') > 0 then return tonumber(open) end
redis.call('HSET', acc, 'removed', 1)
redis.call('SADD', cell .. 'removing', account)
if plan and plan ~= '' then redis.call('SREM', cell .. 'plan:' .. plan, account) end
write_notes(notes, keep_clock())
return -2
