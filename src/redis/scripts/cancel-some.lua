--@ lib clock
--@ lib making-room
--@ lib home
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--@ lib leaving
--[[ cancel-some: the next page of an account's messages, those that have not left canceled. Called until nothing is open; the
     place in the index is kept in the account, and starts anew at its end (what was being sent may have come back).
     KEYS 1 cell
     ARGV 1 account, 2 ids to look at
     Reply messages of the account that have not ended ]]
local account, most = ARGV[1], tonumber(ARGV[2])
local acc = cell .. 'acc:' .. account
local now = keep_clock()
local at_home = is_at_home()
local from = tonumber(redis.call('HGET', acc, 'sweep') or '0')
local ids = redis.call('ZRANGE', cell .. 'idx:' .. account, from, from + most - 1)
for _, id in ipairs(ids) do
  local m = message(id)
  if m and at_home then leave(m, 'canceled', now, 'its account was removed') end
end
flush()
local open = tonumber(redis.call('HGET', acc, 'open') or '0')
redis.call('HSET', acc, 'sweep', #ids == most and from + most or 0)
return open
