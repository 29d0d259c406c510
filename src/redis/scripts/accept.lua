--@ lib clock
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--[[ accept: make drafts messages, those of several requests in one call: what a call costs by itself is more than what a
     message costs. Each request is taken or refused for itself. Ids are made before the call, so repeating it changes nothing.
     Gates are told of the channels that have something new.
     KEYS 1 cell
     ARGV for each request: 'account cap batch told count lane' (its backlog cap; '-' for no batch; told 1: how its messages
          stand; how many messages; 'channel class sender' where that is the same of all, or '-'), read once where the same comes
          again; then for each message 'id recipient due expires' (ms; 0 for at once, for never), a line of kept JSON and one of
          body JSON, and where the request says '-' its own lane.
     Reply {now, a line for each request, the views…}: 'gone' (no such account) or 'full' (the cap), and then nothing of it was
          written, or the account's zone and for each message |state parked (0|1) created number view (0: none)
     A view is what `look` tells of a lane, as far as a forecast needs it: a line of words (name, value, …) for each of lane,
     account on channel, channel sums, rate, sender row, channel row and account row; then lanes in the class, accounts in the
     ring, sending held since a failover (0|1), the zone, how many of the sender's are more urgent. One for all messages of a lane; none for what was there already, or has ended. ]]
local now
local opened, accepted, nudged, views = {}, {}, {}, {}
-- What it is asked to take, in order; the lanes that it comes into, and what comes, to be pushed at the end.
local messages, lanes = {}, {}
-- Ids that were made in this call, and whether any that it is asked for was there before.
local made, is_any_there = {}, true
-- Last of all, after what counts them: a script that breaks off is tried again message by message (together.ts), and what
-- has its record by then is taken for one that was accepted.
local records = {}
-- Of each batch that has rows: how many there are, and those to come. They come in order; where they do not (a failover lost
-- a part), what follows has records of its own.
local bulks, bulk_order = {}, {}

local function bulk_of(batch)
  if not batch or not shared_of(batch) then return nil end
  local bulk = bulks[batch]
  if not bulk then
    bulk = { batch = batch, length = redis.call('LLEN', cell .. rows_of(batch)), rows = {} }
    bulks[batch] = bulk
    bulk_order[#bulk_order + 1] = bulk
  end
  return bulk
end

local function is_there(id, bulk)
  if made[id] then return true end
  if bulk then
    local _, place = place_of(id)
    if place and place < bulk.length then return true end
  end
  return is_any_there and redis.call('EXISTS', cell .. 'm:' .. id) == 1
end

local function open_account(account)
  local known = opened[account]
  if not known then
    local zone, removed, open = unpack(redis.call('HMGET', cell .. 'acc:' .. account, 'zone', 'removed', 'open'))
    known = { zone = removed ~= '1' and zone, open = tonumber(open or '0'), new = 0, lanes = {}, index = 'idx:' .. account }
    opened[account] = known
  end
  return known
end

local function lane_of(account, known, words)
  local lane = known.lanes[words]
  if not lane then
    local channel, class, sender = string.match(words, '^(%S+) (%S+) (.*)$')
    local name = lane_name(account, channel, class, sender)
    lane = { account = account, channel = channel, class = class, sender = sender, lane = name,
      ln = row('ln:' .. name), ac = ac_of(account, channel), view = '0', coming = {} }
    known.lanes[words] = lane
    lanes[#lanes + 1] = lane
  end
  return lane
end

-- Out of quota, and nothing that goes before that, as whoever asks later is told.
local function parked(lane)
  if lane.ac.f.parked ~= PARKED_BY_QUOTA and lane.ln.f.parked ~= PARKED_BY_QUOTA then return '0' end
  local rate = rate_of(lane.channel).f
  if lane.ac.f.paused == 1 or rate.paused == 1 then return '0' end
  return (rate.closed or 0) > now and '0' or '1'
end

-- The place of the lane's view among all; what it says is read when everything has been accepted.
local function view_of(lane)
  if lane.view == '0' then
    views[#views + 1] = lane
    lane.view = tostring(#views)
  end
  return lane.view
end

local function suppressions_of(account, known)
  if known.has_suppressions == nil then
    known.has_suppressions = redis.call('EXISTS', cell .. 'sup:' .. account) == 1
  end
  return known.has_suppressions
end

-- A message that is new; answers its state.
local function make(m, lane, has_suppressions, known)
  known_messages[m.id] = m
  made[m.id] = true
  if m.expires > 0 then redis.call('ZADD', cell .. 'expiring', m.expires, m.id) end
  if has_suppressions and redis.call('HEXISTS', cell .. 'sup:' .. m.account, m.channel .. '|' .. string.lower(m.recipient)) == 1 then
    end_message(m, 'suppressed', now, 'the address is suppressed')
    known.open = known.open - 1
    return 'suppressed'
  end
  nudged[m.channel] = true
  if m.due > now then
    redis.call('ZADD', cell .. 'scheduled', m.due, m.id)
    add(lane.ac, 'scheduled', 1)
    return 'scheduled'
  end
  local coming = lane.coming
  coming[#coming + 1] = m.id
  -- As text from here on: it is only written, twice, and Lua makes one of a number by way of its 14 digits.
  m.number = string.format('%d', (lane.ln.f.pushed or 0) + #coming)
  return 'queued'
end

local function accept(head, first, last)
  local account, batch = head.account, head.batch
  local known = open_account(account)
  if not known.zone then return 'gone' end
  local new, bulk = 0, bulk_of(batch)
  for i = first, last do
    local m = messages[i]
    m.is_new = not is_there(m.id, bulk)
    if m.is_new then new = new + 1 end
  end
  if new > 0 and known.open + new > head.cap then return 'full' end

  now = now or keep_clock()
  if new > 0 then
    known.open, known.new = known.open + new, known.new + new
    if batch then accepted[batch] = (accepted[batch] or 0) + new end
  end
  local has_suppressions = new > 0 and suppressions_of(account, known)
  local said, n, created = { known.zone }, 1, text_of(now)
  local shared = head.lane and lane_of(account, known, head.lane)

  for i = first, last do
    local m, state, is_parked, made_at, number, view = messages[i], nil, nil, created, 0, '0'
    if m.is_new then
      local lane = shared or lane_of(account, known, m.words)
      m.channel, m.class, m.sender, m.created = lane.channel, lane.class, lane.sender, now
      state, is_parked = make(m, lane, has_suppressions, known), parked(lane)
      number = m.number
      records[#records + 1] = m
      move(known.index, m.id, created)
      if batch and not bulk then append('bat:' .. batch .. ':ids', m.id) end
      if head.told and state ~= 'suppressed' then view = view_of(lane) end
    else
      local id = m.id
      m = message(id)
      -- Of what was purged nothing is left but its place.
      state, is_parked = state_of(id) or 'purged', '0'
      if m then
        m.ln, m.ac = ln_of(m.account, m.channel, m.class, m.sender), ac_of(m.account, m.channel)
        is_parked = parked(m)
        made_at, number = text_of(m.created), m.number
      end
    end
    n = n + 1
    said[n] = state .. ' ' .. is_parked .. ' ' .. made_at .. ' ' .. number .. ' ' .. view
  end
  return table.concat(said, '|')
end

local function head_of_request(text)
  local account, cap, batch, told, size, lane = string.match(text, '^(%S+) (%d+) (%S+) (%d) (%d+) (.*)$')
  return {
    account = account, cap = tonumber(cap), batch = batch ~= '-' and batch or nil, told = told == '1', size = tonumber(size),
    lane = lane ~= '-' and lane, each = lane == '-' and 3 or 2,
  }
end

local texts, n_texts = {}, 0
local function write(m)
  local bulk = m.batch and bulks[m.batch]
  if bulk then
    local _, place = place_of(m.id)
    if place == bulk.length + #bulk.rows then
      local text = row_text(m, m.text)
      bulk.rows[#bulk.rows + 1] = text
      if text ~= '' then return end
    end
  end
  texts[n_texts + 1], texts[n_texts + 2] = m.key, record_text(m, m.text)
  n_texts = n_texts + 2
end

local heads, asked, keys, at = {}, {}, {}, 1
while ARGV[at] do
  local text = ARGV[at]
  local head = heads[text] or head_of_request(text)
  heads[text] = head
  asked[#asked + 1] = head
  at = at + 1
  for i = #messages + 1, #messages + head.size do
    local id, recipient, due, expires = string.match(ARGV[at], '^(%S+) (%S+) (%d+) (%d+)$')
    local key = cell .. 'm:' .. id
    keys[i] = key
    messages[i] = {
      id = id, key = key, number = 0, account = head.account, channel = '', class = '', created = 0,
      due = due == '0' and 0 or tonumber(due), expires = expires == '0' and 0 or tonumber(expires),
      batch = head.batch, sender = '', recipient = recipient, text = ARGV[at + 1], words = ARGV[at + 2], is_new = false,
    }
    at = at + head.each
  end
end
is_any_there = #keys > 0 and redis.call('EXISTS', unpack(keys)) > 0
local lines, last = {}, 0
for i, head in ipairs(asked) do
  lines[i] = accept(head, last + 1, last + head.size)
  last = last + head.size
end
for i = 1, #lanes do push_all(lanes[i], lanes[i].coming) end
for account, known in pairs(opened) do count('acc:' .. account, 'open', known.new) end
flush()
for batch, new in pairs(accepted) do note_accepted(batch, new) end
for i = 1, #records do write(records[i]) end
if n_texts > 0 then redis.call('MSET', unpack(texts)) end
for _, bulk in ipairs(bulk_order) do
  if #bulk.rows > 0 then redis.call('RPUSH', cell .. rows_of(bulk.batch), unpack(bulk.rows)) end
end
-- Here a word to the gates costs a microsecond, and the client a command for each call.
for channel in pairs(nudged) do redis.call('PUBLISH', cell .. 'nudge', channel) end

local LANE, ON_CHANNEL, SUMS = { 'popped', 'live', 'held_by' },
  { 'live_high', 'live_normal', 'live_low', 'queued', 'throttled', 'paused', 'held_by', 'in_ring_a' }, { 'queued', 'throttled', 'released' }
local RATE, SENDER, LEVEL = { 'paused', 'closed', 'interval', 'last' }, { 'closed', 'interval', 'last', 'out', 'held' }, { 'held' }

-- `levels`: with what is counted of the windows that have a limit.
local function words(row, fields, levels)
  local said, n = {}, 0
  for _, field in ipairs(fields) do
    local value = row.f[field]
    if value then
      said[n + 1], said[n + 2] = field, value
      n = n + 2
    end
  end
  for _, kind in ipairs(levels and KINDS or {}) do
    local names = FIELD[kind]
    if row.f[names.limit] then
      for _, name in ipairs({ names.limit, names.from, names.till, names.used, names.shut, names.late, names.late_at }) do
        -- Most are none, and of a number Lua makes a text at the price of ten others.
        local value = row.f[name] or 0
        said[n + 1], said[n + 2] = name, value == 0 and '0' or value
        n = n + 2
      end
    end
  end
  return table.concat(said, ' ')
end

local function urgent_of_sender(lane)
  local urgent = 0
  for _, class in ipairs(CLASSES) do
    if class == lane.class then break end
    -- Most have none, and need not be asked.
    if lane.ac.f['live_' .. class] then
      urgent = urgent + (ln_of(lane.account, lane.channel, class, lane.sender).f.live or 0)
    end
  end
  return urgent
end

local failover
local function seen(lane)
  failover = failover or redis.call('HEXISTS', cell .. 'home', 'to')
  local chain = chain_of(lane)
  return table.concat({
    words(lane.ln, LANE), words(lane.ac, ON_CHANNEL), words(stat_of(lane.channel), SUMS), words(rate_of(lane.channel), RATE),
    words(chain[1], SENDER, true), words(chain[2], LEVEL, true), words(chain[3], LEVEL, true),
    redis.call('ZCARD', cell .. 'in:' .. lane.account .. ':' .. lane.channel .. ':' .. lane.class),
    redis.call('ZCARD', cell .. 'ring:' .. lane.channel .. ':a'), failover, open_account(lane.account).zone,
    urgent_of_sender(lane),
  }, '\n')
end

for i = 1, #views do views[i] = seen(views[i]) end
return { now and text_of(now) or '0', table.concat(lines, '\n'), unpack(views) }
