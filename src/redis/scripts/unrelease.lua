--@ lib clock
--@ lib making-room
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib called
--@ lib flush
--[[ unrelease: a worker gives back what it has not handed to a provider (it is stopping). Last first, so that a group
     keeps its order at the head of its lane.
     KEYS 1 cell
     ARGV for each message: token of its run ('' for one that was not begun), id, release
     Reply for each: 1 back in its lane, its hold and its turn given back | 0 any other state: nothing changed ]]
keep_clock()
local replies = {}

local function unrelease(token, id, release)
  local x, m = x_of(id), message(id)
  if not m or x.f.release ~= release then return 0 end
  if x.f.state == 'released' then
    leave_released(m)
  elseif x.f.state == 'sending' and token ~= '' and x.f.token == token then
    leave_sending(m)
    -- It may have left the list of what expires when its time came while it was being sent.
    if m.expires > 0 then redis.call('ZADD', cell .. 'expiring', m.expires, id) end
  else
    return 0
  end
  hold(m, -1)
  put_back(m)
  return 1
end

local count = #ARGV / 3
for i = count, 1, -1 do replies[i] = unrelease(ARGV[3 * i - 2], ARGV[3 * i - 1], tonumber(ARGV[3 * i])) end
flush()
return replies
