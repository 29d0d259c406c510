--@ lib clock
--@ lib audit
--[[ accounts-write-sender: the rule that one sender of an account has, as it was stated. Only by who has taken the account.
     KEYS 1 cell
     ARGV 1 account, 2 token, 3 '<channel>:<sender>', 4 the rule as JSON, '' for none, then notes for the audit
     Reply 1 written | 0 not, or no longer, taken by this caller ]]
local account, token, name, rule = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local notes = read_notes(5)
if redis.call('HGET', cell .. 'acc:' .. account, 'busy') ~= token then return 0 end
local senders, rules = cell .. 'senders:' .. account, cell .. 'rules:' .. account
if rule == '' then
  redis.call('SREM', senders, name)
  redis.call('HDEL', rules, name)
else
  redis.call('SADD', senders, name)
  redis.call('HSET', rules, name, rule)
end
write_notes(notes, keep_clock())
return 1
