--@ lib clock
--[[ auth-refresh: spends a refresh token for its successor. Spent before, and within the grace: the answer was lost, and the
     same successor is handed out again, unless that has been spent too. Spent before that: two have it, one of whom is a
     thief, and the whole family dies. Whoever calls has seen that the token is one of ours.
     KEYS 1 cell
     ARGV 1 family, 2 digest, 3 the successor's digest, 4 grace (ms), 5 how long each token is good for (ms)
     Reply {'granted', key id, scopes, now, when the successor expires} (also when this is said again within the grace)
     | {'spent'} within the grace, and so is its successor | {'reused'} the family is dead, from now on or before
     | {'unknown'} expired, or its key's oldest of too many ]]
local family, digest, successor = ARGV[1], ARGV[2], ARGV[3]
local grace, length = tonumber(ARGV[4]), tonumber(ARGV[5])
local fam = cell .. 'fam:' .. family
local key, scopes, current, expires_at, dead, spent_at =
  unpack(redis.call('HMGET', fam, 'key', 'scopes', 'current', 'expires_at', 'dead', 'u:' .. digest))
local now = keep_clock()
if not key or tonumber(expires_at) <= now then return { 'unknown' } end
if dead then return { 'reused' } end

local time = string.format('%.0f', now)
if current == digest then
  local kept = redis.call('HGETALL', fam)
  for at = 1, #kept, 2 do
    if string.sub(kept[at], 1, 2) == 'u:' and tonumber(kept[at + 1]) + grace < now then redis.call('HDEL', fam, kept[at]) end
  end
  expires_at = string.format('%.0f', now + length)
  redis.call('HSET', fam, 'current', successor, 'u:' .. digest, time, 'expires_at', expires_at)
  redis.call('PEXPIRE', fam, length)
  redis.call('PEXPIRE', cell .. 'fams:' .. key, length)
  return { 'granted', key, scopes, time, expires_at }
end
if spent_at and tonumber(spent_at) + grace >= now then
  if current == successor then return { 'granted', key, scopes, time, expires_at } end
  return { 'spent' }
end
redis.call('HSET', fam, 'dead', 1)
return { 'reused' }
