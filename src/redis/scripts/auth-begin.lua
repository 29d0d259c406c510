--@ lib clock
--[[ auth-begin: a family of refresh tokens, by its first. A key has so many at most: the oldest goes. What is kept of a token
     is its digest.
     KEYS 1 cell
     ARGV 1 family, 2 key id, 3 scopes, 4 digest, 5 how long each token is good for (ms), 6 families of a key at most
     Reply 1 ]]
local family, key_id, scopes, digest = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local length, most = tonumber(ARGV[5]), tonumber(ARGV[6])
local fam, fams = cell .. 'fam:' .. family, cell .. 'fams:' .. key_id
local now = keep_clock()
if redis.call('EXISTS', fam) == 1 then return 1 end
redis.call('HSET', fam, 'key', key_id, 'scopes', scopes, 'current', digest, 'expires_at', string.format('%.0f', now + length))
redis.call('PEXPIRE', fam, length)
redis.call('ZADD', fams, now, family)
redis.call('PEXPIRE', fams, length)
if redis.call('ZCARD', fams) > most then
  local oldest = redis.call('ZPOPMIN', fams)
  redis.call('UNLINK', cell .. 'fam:' .. oldest[1])
end
return 1
