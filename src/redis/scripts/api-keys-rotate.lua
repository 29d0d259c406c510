--@ lib clock
--@ lib audit
--[[ api-keys-rotate: a new key beside an old one, which dies after an overlap, or earlier if it would anyway. The one that
     the old key replaced, if it has died, goes: a key that is rotated every day leaves two behind it and no more.
     KEYS 1 cell
     ARGV 1 account, 2 old key id, 3 its revision that was seen, 4 new key id, 5 overlap (ms), then notes for the audit,
     then pairs of the new key: field, value
     Reply when the old one dies (ms), also when this is said again | 0 the account has no such key, or it has expired
     | -1 it was changed since: look again ]]
local account, old_id, seen, new_id, overlap = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local notes, rest = read_notes(6)
local old, new = cell .. 'key:' .. old_id, cell .. 'key:' .. new_id
local owner, revoked, revision, expires_at, replaces =
  unpack(redis.call('HMGET', old, 'account', 'revoked', 'revision', 'expires_at', 'replaces'))
local now = keep_clock()
local dies_at = tonumber(expires_at or '') or math.huge
if owner ~= account or revoked then return 0 end
if redis.call('EXISTS', new) == 1 then return string.format('%.0f', dies_at) end
if dies_at <= now then return 0 end
if (revision or '0') ~= seen then return -1 end
local before = replaces and cell .. 'key:' .. replaces
local has_died = before and (tonumber(redis.call('HGET', before, 'expires_at') or '') or math.huge) <= now

dies_at = string.format('%.0f', math.min(dies_at, now + overlap))
redis.call('HSET', new, 'account', account, 'replaces', old_id, unpack(ARGV, rest))
redis.call('HSET', old, 'expires_at', dies_at, 'replaced_by', new_id, 'revision', tonumber(seen) + 1)
redis.call('SADD', cell .. 'keys:' .. account, new_id)
if has_died then
  redis.call('UNLINK', before)
  redis.call('SREM', cell .. 'keys:' .. account, replaces)
end
write_notes(notes, now)
return dies_at
