--@ lib clock
--@ lib home
--@ lib rows
--@ lib messages
--[[ rerelease: a released message whose job is lost gets a new number and a new job; its hold is kept. A late add of the old
     job is then refused by its number.
     KEYS 1 cell
     ARGV for each message: id, release
     Reply for each: {new job id, new release} | {} it has moved on, or the cell is not at home: nothing changed ]]
local now = keep_clock()
local replies = {}
local at_home = is_at_home()
for at = 1, #ARGV, 2 do
  local id, release = ARGV[at], tonumber(ARGV[at + 1])
  local x, m = x_of(id), message(id)
  if at_home and m and x.f.state == 'released' and x.f.release == release then
    local job = 'j' .. string.format('%.0f', redis.call('INCR', cell .. 'seq'))
    put(x, 'release', release + 1)
    put(x, 'job', job)
    redis.call('ZADD', cell .. 'released:' .. m.channel, now, id)
    replies[#replies + 1] = { job, release + 1 }
  else
    replies[#replies + 1] = {}
  end
end
write_rows()
return replies
