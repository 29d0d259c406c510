--@ lib clock
--@ lib audit
--[[ api-keys-patch: a key's own fields, if it still is as the caller saw it: the audit says what it was before, and that must
     be so.
     KEYS 1 cell
     ARGV 1 account, 2 key id, 3 the revision that was seen, then notes for the audit, then pairs: field, value
     Reply 1 (also when this is said again) | 0 the account has no such key, or is being removed | -1 it was changed since:
     look again ]]
local account, id, seen = ARGV[1], ARGV[2], ARGV[3]
local notes, rest = read_notes(4)
local key = cell .. 'key:' .. id
local owner, revoked, revision = unpack(redis.call('HMGET', key, 'account', 'revoked', 'revision'))
if owner ~= account or revoked then return 0 end
if were_noted(notes) then return 1 end
if redis.call('HGET', cell .. 'acc:' .. account, 'removed') == '1' then return 0 end
if (revision or '0') ~= seen then return -1 end
redis.call('HSET', key, 'revision', tonumber(seen) + 1, unpack(ARGV, rest))
write_notes(notes, keep_clock())
return 1
