--[[ idempotency-end: keeps the answer of a run, or lets the key be used again at once (under the same seed).
     KEYS 1 cell
     ARGV 1 the rest of the key's name, 2 fingerprint, 3 status (0: no answer is kept), 4 body, 5 time of a record (s),
          6 whether what was judged is to be judged anew by the next run, for nothing was made of it (0|1)
     Reply 1 | 0 the record is gone, is another request's, or has its answer: nothing changed ]]
local cell, name, fingerprint, status, body, keep_for = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local key = cell .. 'idem:' .. name
local known, kept = unpack(redis.call('HMGET', key, 'fingerprint', 'status'))
if known ~= fingerprint or kept then return 0 end
if status == '0' then
  redis.call('HSET', key, 'until', 0)
  if ARGV[6] == '1' then redis.call('HDEL', key, 'at', 'decision') end
else
  redis.call('HSET', key, 'status', status, 'body', body)
  redis.call('HDEL', key, 'at', 'decision')
end
redis.call('EXPIRE', key, keep_for)
return 1
