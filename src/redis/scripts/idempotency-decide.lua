--[[ idempotency-decide: what a run decided that another would decide otherwise, because time has passed. The first that is told
     holds for every run of the request.
     KEYS 1 cell
     ARGV 1 the rest of the key's name, 2 fingerprint, 3 the decision ('': there is none, it is only asked)
     Reply the decision in force ('': none) ]]
local cell, name, fingerprint, decision = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local key = cell .. 'idem:' .. name
local known, before = unpack(redis.call('HMGET', key, 'fingerprint', 'decision'))
if known ~= fingerprint then return decision end
if before then return before end
if decision ~= '' then redis.call('HSET', key, 'decision', decision) end
return decision
