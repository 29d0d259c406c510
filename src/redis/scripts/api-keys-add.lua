--@ lib clock
--@ lib audit
--[[ api-keys-add: a key of an account that is there. Its id was made before: repeating this changes nothing.
     KEYS 1 cell
     ARGV 1 account, 2 key id, then notes for the audit (how many, then each), then pairs: field, value
     Reply 1 | 0 there is no such account, or it is being removed ]]
local account, id = ARGV[1], ARGV[2]
local notes, rest = read_notes(3)
local name, removed = unpack(redis.call('HMGET', cell .. 'acc:' .. account, 'name', 'removed'))
if not name or removed == '1' then return 0 end
redis.call('HSET', cell .. 'key:' .. id, 'account', account, unpack(ARGV, rest))
redis.call('SADD', cell .. 'keys:' .. account, id)
write_notes(notes, keep_clock())
return 1
