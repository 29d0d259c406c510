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
--@ lib ahead
--[[ begin: may this worker hand these messages to the provider? Marks them `sending`, gives them their slots of the rate,
     and checks every rule once more with the message's own hold included (a limit lowered since its release holds).
     KEYS 1 cell
     ARGV 1 ms until the reaper may have them, then for each message: token of its run, id, release
     Reply for each message, in order:
       {'go', ms until its slot, tries so far, attempts so far, record (head, newline, what is kept, newline, body),
              account, sender, recipient, batch or '', created} the same again for the same token
                           (with its time until the reaper begun anew)
       {'wait', ms}        the channel's next slot is too far ahead, or past its time, or the cell is not at home: nothing
                           marked, ask again then
       {'returned', why}   un-released: its hold and its turn given back, at the head of its lane
       {'ended', state}    expired, suppressed, or known meanwhile (as what its provider told): its hold given back
       {'taken'}           another run has it
       {'stale'}           this release is over ]]
local reap_in = tonumber(ARGV[1])
local SLOT_AHEAD = 1000
local NOT_AT_HOME = 300 -- ms: a failover is over in a second or two
local now = keep_clock()
local returned, replies = {}, {}

local function next_slot(rate)
  if not rate.f.interval then return now end
  return math.max(now, (rate.f.last or -math.huge) + rate.f.interval)
end

local function take_slot(row, slot)
  put(row, 'last', math.max(row.f.last or 0, slot))
end

local function go(m, x, record)
  local f = x.f
  local slot = f.slot and math.max(0, math.ceil(f.slot - now)) or 0
  return { 'go', slot, f.tries or 0, f.attempts or 0, record, m.account, m.sender, m.recipient, m.batch or '', m.created }
end

-- Why a released message may not begin, by the rules as they stand now; nil when it may.
local function held_back(m, rate, q_sender)
  local ac, account = ac_of(m.account, m.channel), account_of(m.account)
  if ac.f.paused == 1 or rate.f.paused == 1 or account.removed then return 'paused' end
  if (rate.f.closed or 0) > now or (q_sender.f.closed or 0) > now then return 'provider' end
  for _, q in ipairs(chain_of(m)) do
    if blocked_until(q, 0, account.zone, now) > 0 then return 'quota' end
  end
  return nil
end

-- Given back: the lanes are put right at the end, last first, so that a group keeps its order.
local function give_back(m, x, why)
  returned[#returned + 1] = m
  leave_released(m)
  hold(m, -1)
  put(x, 'state', 'queued')
  return { 'returned', why }
end

local function end_here(m, state, reason)
  leave_released(m)
  hold(m, -1)
  end_message(m, state, now, reason)
  wake(m)
  return { 'ended', state }
end

local has_suppressions = {}
local function is_suppressed(m)
  local account = m.account
  if has_suppressions[account] == nil then has_suppressions[account] = redis.call('EXISTS', cell .. 'sup:' .. account) == 1 end
  return has_suppressions[account]
    and redis.call('HEXISTS', cell .. 'sup:' .. account, m.channel .. '|' .. string.lower(m.recipient)) == 1
end

local function begin(token, id, release)
  local x = x_of(id)
  local state = x.f.state
  if x.f.release ~= release or (state ~= 'released' and state ~= 'sending') then return { 'stale' } end
  local m, record = whole_message(id)
  if state == 'sending' then
    if x.f.token ~= token then return { 'taken' } end
    -- The run lives and has not called yet: its time counts from this call, as it counts its own budget. (Without: after
    -- an outage between the two the reaper overtakes the call, and an email goes a second time.)
    move('sending', id, text_of(now + reap_in))
    return go(m, x, record)
  end
  -- It was to go once more because nobody knew; meanwhile its provider has told, while a worker had it that gave it back.
  if x.f.doubt and x.f.heard then
    usage(m, now, 'sent')
    return end_here(m, x.f.heard)
  end
  if m.expires > 0 and m.expires <= now then return end_here(m, 'expired', 'it expired before it could go') end
  if is_suppressed(m) then
    return end_here(m, 'suppressed', 'the address is suppressed')
  end
  local rate, q_sender = rate_of(m.channel), q_of_sender(m)
  local why = held_back(m, rate, q_sender)
  if why then return give_back(m, x, why) end
  local channel_slot, sender_slot = next_slot(rate), next_slot(q_sender)
  if channel_slot > now + SLOT_AHEAD then return { 'wait', math.ceil(channel_slot - now - SLOT_AHEAD) } end
  -- Only the channel's rate makes a worker wait: a slow sender must not hold a hand that others could use.
  if sender_slot > channel_slot + SENDER_LEAD then return give_back(m, x, 'rate') end
  local slot = math.max(channel_slot, sender_slot)
  -- It would be called when its time is up: that is what it waits for, and the slot is another's.
  if m.expires > 0 and m.expires <= slot then return { 'wait', math.ceil(m.expires - now) } end
  if rate.f.interval then take_slot(rate, slot) end
  if q_sender.f.interval then take_slot(q_sender, slot) end
  leave_released(m)
  local f = touch(x)
  f.state, f.token, f.began = 'sending', token, now
  f.slot = (rate.f.interval or q_sender.f.interval) and slot or nil
  f.expires, f.batch = m.expires > 0 and m.expires or nil, m.batch
  move('sending', id, text_of(now + reap_in))
  add(ac_of(m.account, m.channel), 'sending', 1)
  return go(m, x, record)
end

local at_home = is_at_home()
for at = 2, #ARGV, 3 do
  replies[#replies + 1] = not at_home and { 'wait', NOT_AT_HOME } or begin(ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]))
end
for i = #returned, 1, -1 do put_back(returned[i]) end
flush()
return replies
