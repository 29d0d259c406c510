--@ lib clock
--[[ accounts-drop: what is left of a removed account goes, a page of keys and senders at a time. Usage by day stays for its
     40 days, as do counter rows of senders without a rule, and tokens: all leave by themselves, and nobody can read them.
     Its lines in the audit stay for their year.
     KEYS 1 cell        ARGV 1 account, 2 keys and senders at most
     Reply 1 gone (also before) | 0 there is more: say it again | -1 not yet: not removed, messages open, being changed ]]
local account, most = ARGV[1], tonumber(ARGV[2])
local acc = cell .. 'acc:' .. account
local now = read_clock()
local removed, open, busy_until = unpack(redis.call('HMGET', acc, 'removed', 'open', 'busy_until'))
if redis.call('EXISTS', acc) == 0 then
  redis.call('SREM', cell .. 'removing', account)
  return 1
end
if removed ~= '1' or tonumber(open or '0') > 0 or tonumber(busy_until or '0') > now then return -1 end

local ids = redis.call('SPOP', cell .. 'keys:' .. account, most)
for _, id in ipairs(ids) do redis.call('UNLINK', cell .. 'key:' .. id) end
local senders = redis.call('SPOP', cell .. 'senders:' .. account, most)
for _, sender in ipairs(senders) do
  redis.call('UNLINK', cell .. 'q:S|' .. account .. '|' .. string.gsub(sender, ':', '|', 1))
end
if #ids == most or #senders == most then return 0 end

for _, channel in ipairs({ 'email', 'sms', 'voice', 'whatsapp' }) do
  local on = account .. ':' .. channel
  redis.call('UNLINK', cell .. 'ac:' .. on, cell .. 'q:C|' .. account .. '|' .. channel, cell .. 'lanes:' .. on,
    cell .. 'in:' .. on .. ':high', cell .. 'in:' .. on .. ':normal', cell .. 'in:' .. on .. ':low')
  redis.call('ZREM', cell .. 'parked', 'A|' .. account .. '|' .. channel)
  redis.call('ZREM', cell .. 'ring:' .. channel .. ':h', account)
  redis.call('ZREM', cell .. 'ring:' .. channel .. ':a', account)
end
local plan = redis.call('HGET', acc, 'plan')
if plan and plan ~= '' then redis.call('SREM', cell .. 'plan:' .. plan, account) end
redis.call('UNLINK', cell .. 'q:A|' .. account, cell .. 'idx:' .. account, cell .. 'sup:' .. account, cell .. 'sups:' .. account,
  cell .. 'rules:' .. account, acc)
redis.call('ZREM', cell .. 'accounts', account)
redis.call('ZREM', cell .. 'changing', account)
redis.call('SREM', cell .. 'removing', account)
return 1
