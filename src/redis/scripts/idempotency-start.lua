--@ lib clock
--[[ idempotency-start: takes a key for one run of one request. A run that is over its time died: the next one with the same
     request gets the same seed and the same time to judge by, so that what the dead one made is not made twice.
     KEYS 1 cell
     ARGV 1 the rest of the key's name, 2 fingerprint, 3 run (random), 4 seed, 5 time of a run (ms), 6 time of a record (s)
     Reply {'fresh', seed, when it was asked for first (ms)} | {'replay', status, body} | {'running'} | {'mismatch'} ]]
local name, fingerprint, run, seed = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local run_for, keep_for = tonumber(ARGV[5]), tonumber(ARGV[6])
local key = cell .. 'idem:' .. name
local now = keep_clock()
local known, given, at, by, until_ms, status = unpack(redis.call('HMGET', key, 'fingerprint', 'seed', 'at', 'run', 'until', 'status'))

if known and known ~= fingerprint then return { 'mismatch' } end
if status then return { 'replay', status, redis.call('HGET', key, 'body') } end
if known and by ~= run and tonumber(until_ms) > now then return { 'running' } end
at = at or string.format('%.0f', now)
redis.call('HSET', key, 'fingerprint', fingerprint, 'seed', given or seed, 'at', at, 'run', run, 'until', now + run_for)
redis.call('EXPIRE', key, keep_for)
return { 'fresh', given or seed, at }
