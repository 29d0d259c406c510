--@ lib clock
--@ lib audit
--[[ api-keys-rotate: a new key beside an old one, which dies after an overlap, or earlier if it would anyway. Those that
     the old key came of go if they have died: a key that is rotated again and again leaves no heap of dead ones behind it.
     KEYS 1 cell
     ARGV 1 account, 2 old key id, 3 its revision that was seen, 4 new key id, 5 overlap (ms), then notes for the audit,
     then pairs of the new key: field, value
     Reply when the old one dies (ms), also when this is said again | 0 the account has no such key, or it has expired, or the
     account is being removed | -1 it was changed since: look again ]]
-- Keys that one came of: who rotates one every hour, with overlaps of a month, has as many.
local MOST_LOOKED_AT = 720
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
-- The new one would open nothing: who asked is not to be told that it does.
if redis.call('HGET', cell .. 'acc:' .. account, 'removed') == '1' then return 0 end
if (revision or '0') ~= seen then return -1 end

dies_at = string.format('%.0f', math.min(dies_at, now + overlap))
redis.call('HSET', new, 'account', account, 'replaces', old_id, unpack(ARGV, rest))
redis.call('HSET', old, 'expires_at', dies_at, 'replaced_by', new_id, 'revision', tonumber(seen) + 1)
redis.call('SADD', cell .. 'keys:' .. account, new_id)
-- One whose overlap is not over yet may have come of one whose overlap is.
local newer = old
for _ = 1, MOST_LOOKED_AT do
  if not replaces then break end
  local before = cell .. 'key:' .. replaces
  local ends, earlier = unpack(redis.call('HMGET', before, 'expires_at', 'replaces'))
  if (tonumber(ends or '') or math.huge) <= now then
    redis.call('UNLINK', before)
    redis.call('SREM', cell .. 'keys:' .. account, replaces)
    if earlier then redis.call('HSET', newer, 'replaces', earlier) end
  else
    newer = before
  end
  replaces = earlier
end
write_notes(notes, now)
return dies_at
