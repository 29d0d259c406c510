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
--[[ expire: what has passed its time ends, however deep it sits. What is being sent leaves the list: settle decides.
     KEYS 1 cell
     ARGV 1 at most so many
     Reply {expired, more (0|1)} ]]
local most = tonumber(ARGV[1])
local now = keep_clock()
if not is_at_home() then return { 0, 0 } end -- it may have gone in time
local due = redis.call('ZRANGEBYSCORE', cell .. 'expiring', '-inf', now, 'LIMIT', 0, most)
local expired = 0
for _, id in ipairs(due) do
  redis.call('ZREM', cell .. 'expiring', id)
  local m = message(id)
  if m and leave(m, 'expired', now, 'it expired before it could go') == 'ok' then expired = expired + 1 end
end
flush()
return { expired, #due == most and 1 or 0 }
