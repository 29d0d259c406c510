--[[ api-keys-find: a key, if its account is there too. One look, so that neither a revoked key nor a removed account opens
     anything from the moment on at which it was said. Reads only.
     KEYS 1 cell        ARGV 1 key id
     Reply fields and values; nothing for a key that is unknown or revoked, or whose account is gone or going ]]
local cell = KEYS[1]
local key = cell .. 'key:' .. ARGV[1]
local account, revoked = unpack(redis.call('HMGET', key, 'account', 'revoked'))
if not account or revoked then return {} end
local name, removed = unpack(redis.call('HMGET', cell .. 'acc:' .. account, 'name', 'removed'))
if not name or removed == '1' then return {} end
return redis.call('HGETALL', key)
