-- What has become due enters its lane, and what is parked until now is looked at again: some at a time, on whatever channel.
-- Both answer how many there were, and note the channels in `woken`.
local function promote(now, most, woken)
  local due = redis.call('ZRANGEBYSCORE', cell .. 'scheduled', '-inf', now, 'LIMIT', 0, most)
  for _, id in ipairs(due) do
    redis.call('ZREM', cell .. 'scheduled', id)
    local m = message(id)
    local state = x_of(id).f.state
    if m and (not state or state == 'scheduled') then
      add(ac_of(m.account, m.channel), 'scheduled', -1)
      woken[m.channel] = true
      -- One that has left once goes to the head: it has waited its turn already.
      if x_of(id).f.release then
        requeue(m, true)
      else
        put(x_of(id), 'state', 'queued')
        put(x_of(id), 'n', push(m, false))
      end
    end
  end
  return #due
end

local function unpark(now, most, woken)
  local due = redis.call('ZRANGEBYSCORE', cell .. 'parked', '-inf', now, 'LIMIT', 0, most)
  for _, member in ipairs(due) do
    redis.call('ZREM', cell .. 'parked', member)
    local name = string.sub(member, 3)
    if string.sub(member, 1, 1) == 'A' then
      local account, on = string.match(name, '^(.*)|([^|]+)$')
      unpark_account(account, on)
      woken[on] = true
    else
      local account, on, class, sender = split_lane(name)
      unpark_lane(account, on, class, sender)
      woken[on] = true
    end
  end
  return #due
end
