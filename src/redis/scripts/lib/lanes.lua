-- Lanes, rings and parking, exactly (rule 8): a lane is in its account's inner ring iff it is non-empty and not parked;
-- an account is in its channel's ring iff one of its inner rings is non-empty and it is not parked on the channel; in
-- ring H iff, besides, it has something urgent and its debt allows. Rings are sorted sets scored by turn: the head is
-- the lowest, the tail gets the next number, leaving costs no walk.
local CHANNELS = { 'email', 'sms', 'voice', 'whatsapp' }
local CLASSES = { 'high', 'normal', 'low' }
local DEBT_CAP = 10 -- times weight: what an account may be served through H ahead of its turns in A
local PARKED_BY_QUOTA, PARKED_FOR_GOOD = 1, 2
local PACED = 2 -- a lane that is parked by a rate or a provider, for a moment; by a quota it is as an account is

-- Rows of which every message asks: found by name, without its being put together each time.
local stats, rates, acs = {}, {}, { email = {}, sms = {}, voice = {}, whatsapp = {} }

local function stat_of(channel)
  stats[channel] = stats[channel] or row('stat:' .. channel)
  return stats[channel]
end

local function rate_of(channel)
  rates[channel] = rates[channel] or row('rate:' .. channel)
  return rates[channel]
end

local function next_turn(channel)
  local stat = stat_of(channel)
  put(stat, 'turn', (stat.f.turn or 0) + 1)
  return stat.f.turn
end

local function ac_of(account, channel)
  local ac = acs[channel][account]
  if ac then return ac end
  ac = row('ac:' .. account .. ':' .. channel)
  ac.channel = channel
  ac.before = {
    queued = ac.f.queued or 0, throttled = ac.f.throttled or 0, scheduled = ac.f.scheduled or 0,
    released = ac.f.released or 0, sending = ac.f.sending or 0, paced = ac.f.paced or 0,
  }
  acs[channel][account] = ac
  return ac
end

local function lane_name(account, channel, class, sender)
  return account .. ':' .. channel .. ':' .. class .. ':' .. sender
end

local function split_lane(name)
  return string.match(name, '^([^:]+):([^:]+):([^:]+):(.*)$')
end

local function ln_of(account, channel, class, sender)
  return row('ln:' .. lane_name(account, channel, class, sender))
end

local function has_lanes(ac)
  return (ac.f.in_high or 0) + (ac.f.in_normal or 0) + (ac.f.in_low or 0) > 0
end

-- Who is at the head of each ring, since which turn, and who is next: read some at a time, for whoever leaves the head goes to the tail or out.
local HEADS = 16
local heads = {}
local ring_keys = {
  email = { h = 'ring:email:h', a = 'ring:email:a' }, sms = { h = 'ring:sms:h', a = 'ring:sms:a' },
  voice = { h = 'ring:voice:h', a = 'ring:voice:a' }, whatsapp = { h = 'ring:whatsapp:h', a = 'ring:whatsapp:a' },
}

local function head_of(channel, ring)
  local key = ring_keys[channel][ring]
  local head = heads[key]
  if not head or (head.at > #head and head.at > 1) then
    head = redis.call('ZRANGE', cell .. key, 0, HEADS - 1, 'WITHSCORES')
    head.at = 1
    heads[key] = head
  end
  return head[head.at], head[head.at + 1]
end

-- The account is no longer where it was in the ring.
local function left_head(key, account)
  local head = heads[key]
  if head and head[head.at] == account then head.at = head.at + 2 else heads[key] = nil end
end

local function enter_ring(account, channel, ac, ring)
  put(ac, 'in_ring_' .. ring, 1)
  local key = ring_keys[channel][ring]
  if heads[key] and not heads[key][1] then heads[key] = nil end
  redis.call('ZADD', cell .. key, next_turn(channel), account)
end

local function enter_rings(account, channel)
  local ac = ac_of(account, channel)
  if ac.f.parked then return end
  if (ac.f.in_high or 0) > 0 and not ac.f.in_ring_h and (ac.f.debt or 0) < DEBT_CAP * account_of(account).weight then
    enter_ring(account, channel, ac, 'h')
  end
  if has_lanes(ac) and not ac.f.in_ring_a then enter_ring(account, channel, ac, 'a') end
end

local function leave_ring(account, channel, ring)
  local ac = ac_of(account, channel)
  if ac.f['in_ring_' .. ring] then
    put(ac, 'in_ring_' .. ring, nil)
    local key = ring_keys[channel][ring]
    left_head(key, account)
    redis.call('ZREM', cell .. key, account)
  end
  put(ac, 'credit_' .. ring, nil)
end

local function to_tail(account, channel, ring)
  local key = ring_keys[channel][ring]
  left_head(key, account)
  redis.call('ZADD', cell .. key, next_turn(channel), account)
end

-- After an inner ring lost a lane.
local function leave_rings_if_empty(account, channel)
  local ac = ac_of(account, channel)
  if (ac.f.in_high or 0) == 0 then leave_ring(account, channel, 'h') end
  if not has_lanes(ac) then leave_ring(account, channel, 'a') end
end

local function enter_inner(account, channel, class, sender)
  local ac = ac_of(account, channel)
  redis.call('ZADD', cell .. 'in:' .. account .. ':' .. channel .. ':' .. class, next_turn(channel), sender)
  add(ac, 'in_' .. class, 1)
  ac.lane = nil
  enter_rings(account, channel)
end

local function leave_inner(account, channel, class, sender)
  local ac = ac_of(account, channel)
  redis.call('ZREM', cell .. 'in:' .. account .. ':' .. channel .. ':' .. class, sender)
  add(ac, 'in_' .. class, -1)
  ac.lane = nil
  leave_rings_if_empty(account, channel)
end

-- So many messages more (or less) wait in a lane that is parked.
local function count_parked(ln, ac, count)
  add(ac, 'lane_parked', count)
  if ln.f.parked == PACED then add(ac, 'lane_paced', count) end
end

-- So many waiting messages more in the lane, whose list has them.
local function lane_gained(m, count)
  local name = m.lane or lane_name(m.account, m.channel, m.class, m.sender)
  local ln, ac = row('ln:' .. name), ac_of(m.account, m.channel)
  local live = ln.f.live or 0
  put(ln, 'live', live + count)
  add(ac, 'queued', count)
  add(ac, 'live_' .. m.class, count)
  if ln.f.parked then
    count_parked(ln, ac, count)
  elseif live == 0 then
    enter_inner(m.account, m.channel, m.class, m.sender)
  end
  if live == 0 then redis.call('SADD', cell .. 'lanes:' .. m.account .. ':' .. m.channel, m.class .. ':' .. m.sender) end
end

-- Puts messages at the end of their lane; they have the numbers after the last one's.
local function push_all(lane, ids)
  if #ids == 0 then return end
  append_all('lane:' .. lane.lane, ids)
  add(row('ln:' .. lane.lane), 'pushed', #ids)
  lane_gained(lane, #ids)
end

-- Puts a message into its lane; at the head it gets the number before the next one, so that positions stay "at most".
local function push(m, at_head)
  local name = lane_name(m.account, m.channel, m.class, m.sender)
  local ln = row('ln:' .. name)
  local number
  if at_head then
    redis.call('LPUSH', cell .. 'lane:' .. name, m.id)
    number = ln.f.popped or 0
    put(ln, 'popped', number - 1)
  else
    append('lane:' .. name, m.id)
    number = (ln.f.pushed or 0) + 1
    put(ln, 'pushed', number)
  end
  lane_gained(m, 1)
  return number
end

-- Back into its lane with a state of `queued`: a message that was scheduled, returned, or is tried again.
local function requeue(m, at_head)
  local x = x_of(m.id)
  put(x, 'state', 'queued')
  put(x, 'due', nil)
  put(x, 'n', push(m, at_head))
end

-- So many waiting messages less in the lane; at none the list goes, and the lane leaves its rings.
local function lane_lost(m, count)
  local name = m.lane or lane_name(m.account, m.channel, m.class, m.sender)
  local ln, ac = row('ln:' .. name), ac_of(m.account, m.channel)
  add(ac, 'queued', -count)
  add(ac, 'live_' .. m.class, -count)
  if ln.f.parked then count_parked(ln, ac, -count) end
  local live = (ln.f.live or 0) - count
  if live > 0 then
    put(ln, 'live', live)
    return
  end
  if ln.f.parked then
    redis.call('ZREM', cell .. 'parked', 'L|' .. name)
  else
    leave_inner(m.account, m.channel, m.class, m.sender)
  end
  wipe(ln)
  redis.call('UNLINK', cell .. 'lane:' .. name)
  redis.call('SREM', cell .. 'lanes:' .. m.account .. ':' .. m.channel, m.class .. ':' .. m.sender)
end

local function park_account(account, channel, kind, till, by)
  local ac = ac_of(account, channel)
  leave_ring(account, channel, 'h')
  leave_ring(account, channel, 'a')
  put(ac, 'fresh', 1) -- its first turn after parking is worth a quantum of 1: everybody's first message goes first
  put(ac, 'parked', kind)
  put(ac, 'until', kind == PARKED_BY_QUOTA and till or nil)
  put(ac, 'held_by', by)
  redis.call('ZADD', cell .. 'parked', kind == PARKED_BY_QUOTA and till or '+inf', 'A|' .. account .. '|' .. channel)
end

local function unpark_account(account, channel)
  local ac = ac_of(account, channel)
  if ac.f.parked then
    put(ac, 'parked', nil)
    put(ac, 'until', nil)
    put(ac, 'held_by', nil)
    redis.call('ZREM', cell .. 'parked', 'A|' .. account .. '|' .. channel)
  end
  enter_rings(account, channel)
end

local function park_lane(account, channel, class, sender, till, by)
  local ln = ln_of(account, channel, class, sender)
  leave_inner(account, channel, class, sender)
  put(ln, 'parked', string.find(by, '.', 1, true) and PARKED_BY_QUOTA or PACED)
  put(ln, 'until', till)
  put(ln, 'held_by', by)
  count_parked(ln, ac_of(account, channel), ln.f.live or 0)
  redis.call('ZADD', cell .. 'parked', till, 'L|' .. lane_name(account, channel, class, sender))
end

local function unpark_lane(account, channel, class, sender)
  local ln = ln_of(account, channel, class, sender)
  if not ln.f.parked then return end
  count_parked(ln, ac_of(account, channel), -(ln.f.live or 0))
  put(ln, 'parked', nil)
  put(ln, 'until', nil)
  put(ln, 'held_by', nil)
  redis.call('ZREM', cell .. 'parked', 'L|' .. lane_name(account, channel, class, sender))
  enter_inner(account, channel, class, sender)
end

-- Looked at again from now on: an account on its four channels, a sender's three lanes. Never their backlog.
local function wake_account(account)
  for _, channel in ipairs(CHANNELS) do unpark_account(account, channel) end
end

local function wake_sender(account, channel, sender)
  for _, class in ipairs(CLASSES) do unpark_lane(account, channel, class, sender) end
end

local function wake(m)
  wake_sender(m.account, m.channel, m.sender)
  wake_account(m.account)
end

local function q_of_sender(m)
  return chain_of(m)[1]
end

-- Out of the set of released ones (depth), whatever becomes of it.
local function leave_released(m)
  move('released:' .. m.channel, m.id, nil)
  add(q_of_sender(m), 'out', -1)
  add(ac_of(m.account, m.channel), 'released', -1)
end

local function leave_sending(m)
  move('sending', m.id, nil)
  add(ac_of(m.account, m.channel), 'sending', -1)
end

local function schedule(m, due)
  put(x_of(m.id), 'state', 'scheduled')
  put(x_of(m.id), 'due', due)
  redis.call('ZADD', cell .. 'scheduled', due, m.id)
  add(ac_of(m.account, m.channel), 'scheduled', 1)
end
