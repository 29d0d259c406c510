--@ lib clock
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib lanes
--[[ accept: make drafts messages, those of several requests in one call: what a call costs by itself is more than what a
     message costs. Each request is taken or refused for itself. Ids are made before the call, so repeating it changes nothing.
     Gates are told of the channels that have something new.
     KEYS 1 cell
     ARGV for each request: account, backlog cap, batch id or '-', 1 to be told how its messages stand, how many messages; then
          ten for each: id, channel, class, sender, recipient, due (ms, 0 for at once), expires (ms, 0 for never), sup (the
          suppressed address to look for), kept JSON, body JSON
     Reply {now, {for each request}, {views}}: 'gone' (no such account) or 'full' (the cap), and then nothing of it was written,
          or {the account's zone, 'state parked (0|1) created number view (0: none)'…}
     A view is what `look` tells of a lane, as far as a forecast needs it: a line of words (name, value, …) for each of lane,
     account on channel, channel sums, rate, sender row, channel row and account row; then lanes in the class, accounts in the
     ring, sending held since a failover (0|1), the zone. One for all messages of a lane; none for what was there already, or has ended. ]]
local EACH = 10
local now
local opened, accepted = {}, {}
local made, views, view_at, nudged = {}, {}, {}, {}
-- Last of all, after what counts them: a script that breaks off is tried again message by message (together.ts), and what
-- has its record by then is taken for one that was accepted.
local records = {}
-- Of each batch that has rows: how many there are, and those to come. They come in order; where they do not (a failover lost
-- a part), what follows has records of its own.
local bulks, bulk_order = {}, {}

local function bulk_of(batch)
  if batch == '-' or not shared_of(batch) then return nil end
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
  return redis.call('EXISTS', cell .. 'm:' .. id) == 1
end

local function write(m, kept, body)
  local bulk, row = m.batch and bulks[m.batch], ''
  if bulk then
    local _, place = place_of(m.id)
    if place == bulk.length + #bulk.rows then
      row = row_text(m, kept, body)
      bulk.rows[#bulk.rows + 1] = row
    end
  end
  if row == '' then write_message(m, kept, body) end
end

local function open_account(account)
  local known = opened[account]
  if not known then
    local zone, removed, open = unpack(redis.call('HMGET', cell .. 'acc:' .. account, 'zone', 'removed', 'open'))
    known = { zone = removed ~= '1' and zone, open = tonumber(open or '0') }
    opened[account] = known
  end
  return known
end

local function is_parked(m)
  local ln = ln_of(m.account, m.channel, m.class, m.sender)
  local by_quota = ac_of(m.account, m.channel).f.parked == PARKED_BY_QUOTA
  return (by_quota or ln.f.parked) and 1 or 0
end

local function accept(account, cap, batch, told, first, last)
  local known = open_account(account)
  if not known.zone then return 'gone' end
  local fresh, new, bulk = {}, 0, bulk_of(batch)
  for at = first, last, EACH do
    local id = ARGV[at]
    if not is_there(id, bulk) then
      fresh[at] = true
      new = new + 1
    end
  end
  if new > 0 and known.open + new > cap then return 'full' end

  now = now or keep_clock()
  local reply = { known.zone }
  if new > 0 then
    known.open = known.open + new
    count('acc:' .. account, 'open', new)
    if batch ~= '-' then accepted[batch] = (accepted[batch] or 0) + new end
  end
  local has_suppressions = new > 0 and redis.call('EXISTS', cell .. 'sup:' .. account) == 1

  for at = first, last, EACH do
    local state
    local id, channel, class, sender, recipient = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
    local due, expires, sup, kept, body = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]), ARGV[at + 7], ARGV[at + 8], ARGV[at + 9]
    local m
    if not fresh[at] then
      m = message(id)
    else
      m = {
        id = id, number = 0, account = account, channel = channel, class = class, created = now,
        due = due, expires = expires, batch = batch ~= '-' and batch or nil, sender = sender, recipient = recipient,
      }
      known_messages[id] = m
      made[id] = true
      if expires > 0 then redis.call('ZADD', cell .. 'expiring', expires, id) end
      if has_suppressions and redis.call('HEXISTS', cell .. 'sup:' .. account, channel .. '|' .. sup) == 1 then
        state = 'suppressed'
        end_message(m, state, now, 'the address is suppressed')
        known.open = known.open - 1
      elseif due > now then
        state = 'scheduled'
        redis.call('ZADD', cell .. 'scheduled', due, id)
        add(ac_of(account, channel), 'scheduled', 1)
      else
        state = 'queued'
        m.number = push(m, false)
      end
      if state ~= 'suppressed' then nudged[channel] = true end
      records[#records + 1] = { m, kept, body }
      move('idx:' .. account, id, now)
      if batch ~= '-' and not bulk then append('bat:' .. batch .. ':ids', id) end
    end
    reply[#reply + 1] = {
      state or state_of(id), m and is_parked(m) or 0, string.format('%.0f', m and m.created or now),
      m and m.number or 0, told and fresh[at] and state ~= 'suppressed' and m,
    }
  end
  return reply
end

local replies, at = {}, 1
while ARGV[at] do
  local first = at + 5
  local last = first + ARGV[at + 4] * EACH - 1
  replies[#replies + 1] = accept(ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3] == '1', first, last)
  at = last + 1
end
flush()
for batch, new in pairs(accepted) do note_accepted(batch, new) end
for _, record in ipairs(records) do write(unpack(record)) end
for _, bulk in ipairs(bulk_order) do
  if #bulk.rows > 0 then redis.call('RPUSH', cell .. rows_of(bulk.batch), unpack(bulk.rows)) end
end
-- Here a word to the gates costs a microsecond, and the client a command for each call.
for channel in pairs(nudged) do redis.call('PUBLISH', cell .. 'nudge', channel) end

local LANE, ON_CHANNEL, SUMS = { 'popped', 'live', 'held_by' },
  { 'live_high', 'live_normal', 'live_low', 'queued', 'throttled', 'paused', 'held_by' }, { 'queued', 'throttled', 'released' }
local RATE, SENDER, LEVEL = { 'paused', 'closed', 'interval' }, { 'closed', 'interval', 'held' }, { 'held' }

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
      for _, name in ipairs({ names.limit, names.from, names.till, names.used, names.late, names.late_at }) do
        said[n + 1], said[n + 2] = name, row.f[name] or 0
        n = n + 2
      end
    end
  end
  return table.concat(said, ' ')
end

local failover
local function view_of(m)
  local name = lane_name(m.account, m.channel, m.class, m.sender)
  if not view_at[name] then
    failover = failover or redis.call('HEXISTS', cell .. 'home', 'to')
    local chain = chain_of(m)
    views[#views + 1] = table.concat({
      words(row('ln:' .. name), LANE), words(ac_of(m.account, m.channel), ON_CHANNEL), words(stat_of(m.channel), SUMS),
      words(rate_of(m.channel), RATE), words(chain[1], SENDER, true), words(chain[2], LEVEL, true), words(chain[3], LEVEL, true),
      redis.call('ZCARD', cell .. 'in:' .. m.account .. ':' .. m.channel .. ':' .. m.class),
      redis.call('ZCARD', cell .. 'ring:' .. m.channel .. ':a'), failover, open_account(m.account).zone,
    }, '\n')
    view_at[name] = #views
  end
  return view_at[name]
end

for _, reply in ipairs(replies) do
  for i = 2, type(reply) == 'table' and #reply or 0 do
    local record = reply[i]
    record[5] = record[5] and view_of(record[5]) or 0
    reply[i] = table.concat(record, ' ')
  end
end
return { now and string.format('%.0f', now) or 0, replies, views }
