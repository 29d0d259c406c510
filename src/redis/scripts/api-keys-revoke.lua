--@ lib clock
--@ lib audit
--[[ api-keys-revoke: the key opens nothing from now on, nor does any token of it. Its record stays for a minute, so that
     saying it again, because the reply was lost, is answered alike.
     KEYS 1 cell
     ARGV 1 account, 2 key id, 3 the revision that was seen, then notes for the audit
     Reply 1 (also before) | 0 the account has no such key | -1 it was changed since: look again ]]
local account, id, seen = ARGV[1], ARGV[2], ARGV[3]
local notes = read_notes(4)
local key = cell .. 'key:' .. id
local owner, revoked, revision = unpack(redis.call('HMGET', key, 'account', 'revoked', 'revision'))
if owner ~= account then return 0 end
if revoked then return 1 end
if (revision or '0') ~= seen then return -1 end
redis.call('HSET', key, 'revoked', 1)
redis.call('EXPIRE', key, 60)
redis.call('SREM', cell .. 'keys:' .. account, id)
write_notes(notes, keep_clock())
return 1
