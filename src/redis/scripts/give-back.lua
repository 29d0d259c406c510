--@ lib clock
--@ lib making-room
--@ lib home
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib called
--@ lib flush
--@ lib workers
--[[ give-back: what was released on a channel that no worker serves goes back to the heads of its lanes, its holds and turns
     given back: else it keeps what the account's other channels could use, for as long as nobody comes. Its jobs are told `stale`
     when somebody does. Nothing is released meanwhile (release.lua: no hands).
     KEYS 1 cell
     ARGV 1 channel, 2 at most so many, and those besides that are of the same ms as the last of them
     Reply how many went back: the latest, so that the next call's come before them | 0 none is released, somebody serves
     the channel, or the cell is not at home: nothing changed ]]
local channel, most = ARGV[1], tonumber(ARGV[2])
local now = keep_clock()
if live_workers(channel, now) > 0 or not is_at_home() then return 0 end

local released = cell .. 'released:' .. channel
local first = redis.call('ZRANGE', released, -most, -most, 'WITHSCORES')[2]
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', released, first or '-inf', '+inf')) do
  local f, m = x_of(id).f, message(id)
  -- Within one ms the set has them by their ids; their order is that of their jobs, and of their places in a lane.
  if m and f.state == 'released' then
    found[#found + 1] = { m = m, job = tonumber(string.match(f.job, '%d+')), place = f.n or m.number }
  end
end
table.sort(found, function(one, other)
  if one.job ~= other.job then return one.job < other.job end
  return one.place < other.place
end)
for i = #found, 1, -1 do
  local m = found[i].m
  leave_released(m)
  hold(m, -1)
  put_back(m)
end
flush()
return #found
