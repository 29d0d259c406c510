-- A message that ends without having gone: canceled, expired. Queued ones stay in their list as tombstones.
local function leave(m, to, now, reason)
  local state = state_of(m.id)
  if ENDED[state] then return 'already_final', state end
  if state == 'sending' or state == 'asking' then return 'already_sending', state end
  if state == 'scheduled' then
    redis.call('ZREM', cell .. 'scheduled', m.id)
    add(ac_of(m.account, m.channel), 'scheduled', -1)
  elseif state == 'queued' then
    lane_lost(m, 1)
  else
    leave_released(m)
    hold(m, -1)
  end
  end_message(m, to, now, reason)
  if state == 'released' then wake(m) end
  return 'ok', state
end
