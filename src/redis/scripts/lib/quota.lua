-- Counters: one row {start, end, used} per scope and window kind, and `held`, one number per scope.
--
-- Why used + held keeps the provider's ledger within the limit: a hold belongs to no window. A message in flight over
-- the top of the hour counts against the old window until the hour ends (as a hold) and against the new one from then
-- on (as a hold, then as used). So in any window W the arrivals at the provider are at most used(W) plus the holds at
-- W's end, which release and begin kept within the limit, whatever the latency. The price is at most the number of
-- messages in flight at a boundary.
local KINDS = { 'minute', 'hour', 'day', 'month' }
local FIELD = {}
for _, kind in ipairs(KINDS) do
  FIELD[kind] = {
    limit = kind .. '.limit', from = kind .. '.start', till = kind .. '.end', used = kind .. '.used',
    shut = kind .. '.shut', late = kind .. '.late', late_at = kind .. '.late_at',
  }
end
local ZONE_LETTER = { hour = 'h', day = 'd', month = 'm' }
local S_ROW_DAYS = 40 -- longer than the longest window

local accounts, zone_windows, zone_texts, known_zones = {}, { minute = {}, hour = {}, day = {}, month = {} }, {}, {}

local function account_of(account)
  local known = accounts[account]
  if known then return known end
  local fields = redis.call('HMGET', cell .. 'acc:' .. account, 'zone', 'weight', 'removed')
  known = { zone = fields[1] or 'UTC', weight = tonumber(fields[2] or '1') or 1, removed = fields[3] == '1' }
  accounts[account] = known
  return known
end

-- The window of this kind that holds `now`: start and end, or nil when the zone's row is missing or has run out.
-- Minutes are UTC's: every zone's offset is a whole number of them.
local function window_of(zone, kind, now)
  if kind == 'minute' then
    local start = now - now % 60000
    return start, start + 60000
  end
  local known = zone_windows[kind][zone]
  if known == nil then
    local text = zone_texts[zone]
    if text == nil then
      text = redis.call('GET', cell .. 'zone:' .. zone) or ''
      zone_texts[zone] = text
    end
    known = false
    local before
    for word in string.gmatch(string.match(text, ';' .. ZONE_LETTER[kind] .. ' ([^;]*)') or '', '%d+') do
      local boundary = tonumber(word)
      if boundary > now then
        if before then known = { before, boundary } end
        break
      end
      before = boundary
    end
    zone_windows[kind][zone] = known
  end
  if known then return known[1], known[2] end
  return nil
end

local function zone_is_known(zone, now)
  local known = known_zones[zone]
  if known == nil then
    known = window_of(zone, 'hour', now) and window_of(zone, 'day', now) and window_of(zone, 'month', now) and true or false
    known_zones[zone] = known
  end
  return known
end

local function has_rule(q)
  for _, kind in ipairs(KINDS) do
    if q.f[FIELD[kind].limit] then return true end
  end
  return q.f.interval ~= nil
end

-- A sender's row without a rule of its own goes 40 days after it last changed; one with a rule stays. (A row that is written
-- has no end to its time.)
local function expire_sender(q)
  if not has_rule(q) then redis.call('EXPIRE', q.name, S_ROW_DAYS * 86400) end
end

local function sender_row(name)
  local q = row('q:S|' .. name)
  q.after_write = expire_sender
  return q
end

local chains = {}

local function branch(tree, name)
  local found = tree[name]
  if not found then
    found = {}
    tree[name] = found
  end
  return found
end

-- The rows of its sender, of its account on its channel, of its account; and what is still to be counted on all three.
local function chain_of(m)
  local chain = m.chain
  if not chain then
    local senders = branch(branch(chains, m.account), m.channel)
    chain = senders[m.sender]
    if not chain then
      local on = m.account .. '|' .. m.channel
      chain = { sender_row(on .. '|' .. m.sender), row('q:C|' .. on), row('q:A|' .. m.account), held = 0, charged = 0 }
      senders[m.sender] = chain
    end
    m.chain = chain
  end
  return chain
end

-- Rolls the row to the window that holds `now`, and only when the row's own end has come: a changed zone, or a new tz
-- release, takes hold as each window ends. Whenever the new start lies before the old end, `used` is carried over; if it
-- lies before the old start too, the row stays shut (nothing is known of the time between) until that window ends.
-- Answers false when the window cannot be told: its charges then wait in `late`.
local function roll(q, kind, zone, now)
  local field = FIELD[kind]
  local f = q.f
  if f[field.till] and now < f[field.till] then return true end
  local start, till = window_of(zone, kind, now)
  if not start then return false end
  local used, shut = 0, nil
  if f[field.till] and start < f[field.till] then
    used = f[field.used] or 0
    if start < f[field.from] then shut = 1 end
  end
  if f[field.late] and f[field.late_at] >= start then used = used + f[field.late] end
  put(q, field.from, start)
  put(q, field.till, till)
  put(q, field.used, used ~= 0 and used or nil)
  put(q, field.shut, shut)
  put(q, field.late, nil)
  put(q, field.late_at, nil)
  return true
end

-- Chains on which something was held or given back that their rows do not say yet: it comes by the message, and is asked
-- about by the lane.
local unsaid = {}

local function say_holds()
  for _, chain in ipairs(unsaid) do
    for level = 1, 3 do
      local q = chain[level]
      add(q, 'held', chain.held)
      if q.room then q.room = q.room - chain.held end
    end
    chain.held, chain.is_unsaid = 0, false
  end
  unsaid = {}
end

-- 0 when `extra` more fit in every window of the scope; else the latest end among the blocking windows, and its kind.
local function blocked_until(q, extra, zone, now)
  if unsaid[1] then say_holds() end
  -- Asked for each message, worked out once for each call: from then on `say_holds` keeps it.
  if q.room and q.room >= extra then return 0, nil end
  local latest, by, room = 0, nil, math.huge
  for at = 1, #KINDS do
    local kind = KINDS[at]
    local field = FIELD[kind]
    local limit = q.f[field.limit]
    if limit then
      local known = roll(q, kind, zone, now)
      local used = (q.f[field.used] or 0) + (known and 0 or q.f[field.late] or 0)
      local till = known and q.f[field.till] or now + 1
      local left = q.f[field.shut] == 1 and -1 or limit - used - (q.f.held or 0)
      if (left < extra or (not known and extra > 0)) and till > latest then latest, by = till, kind end
      room = known and math.min(room, left) or -1
    end
  end
  if latest == 0 then q.room = room end
  return latest, by
end

local function hold(m, by)
  local chain = chain_of(m)
  chain.held = chain.held + by
  if not chain.is_unsaid then
    chain.is_unsaid = true
    unsaid[#unsaid + 1] = chain
  end
end

-- One more used, in every window of every level: twelve windows for each message, so the messages of one chain are counted
-- and booked together by `flush`. No script that charges asks afterwards what is left.
local spenders = {}

local function charge(m, now)
  local chain = chain_of(m)
  if chain.charged == 0 then
    chain.now, chain.zone = now, account_of(m.account).zone
    spenders[#spenders + 1] = chain
  end
  chain.charged = chain.charged + 1
end

local function book(q, charged, zone, now)
  for at = 1, #KINDS do
    local kind = KINDS[at]
    local field = FIELD[kind]
    if roll(q, kind, zone, now) then
      add(q, field.used, charged)
    else
      add(q, field.late, charged)
      put(q, field.late_at, now)
    end
  end
end

local function book_all()
  for _, chain in ipairs(spenders) do
    for level = 1, 3 do book(chain[level], chain.charged, chain.zone, chain.now) end
    chain.charged = 0
  end
  spenders = {}
end
