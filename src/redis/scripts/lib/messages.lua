-- A message's record. `m:<id>` never changes but for losing its body: a header line of ten words, a line of JSON that is
-- kept, a line of JSON that goes with the body's retention. `x:<id>` is what changes.
local ENDED = {
  sent = true, delivered = true, undelivered = true, failed = true,
  expired = true, canceled = true, suppressed = true, uncertain = true,
}
-- Ten words: 254 characters of sender, as many of recipient, ids, numbers and spaces.
local HEADER_BYTES = 800
local HEADER = '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)\n'

local known_messages = {}

local function parse_message(id, text)
  local number, account, channel, class, created, due, expires, batch, sender, recipient = string.match(text, HEADER)
  if not number then return nil end
  local m = {
    id = id, number = tonumber(number), account = account, channel = channel, class = class,
    created = tonumber(created), due = tonumber(due), expires = tonumber(expires),
    batch = batch ~= '-' and batch or nil, sender = sender, recipient = recipient,
  }
  known_messages[id] = m
  return m
end

-- The header of a message, or nil when there is no such message (any more).
local function message(id)
  return known_messages[id] or parse_message(id, redis.call('GETRANGE', cell .. 'm:' .. id, 0, HEADER_BYTES))
end

local function x_of(id)
  return hash('x:' .. id)
end

-- scheduled, queued, released, sending or an end; nil when there is no such message.
local function state_of(id)
  local state = x_of(id).f.state
  if state then return state end
  if not message(id) then return nil end
  return redis.call('ZSCORE', cell .. 'scheduled', id) and 'scheduled' or 'queued'
end

local function usage(m, now, hour_start, outcome)
  local day = math.floor(now / 86400000)
  count('use:' .. m.account .. ':' .. m.channel .. ':' .. day, string.format('%.0f', hour_start) .. ':' .. outcome, 1)
end

-- For /metrics: over all processes, whoever ended it. Fields that no script puts into its copy of the row.
local function count_end(channel, state)
  count('stat:' .. channel, 'ended:' .. state, 1)
end

-- An end state. The caller has taken the message out of wherever it was. `spent` is in order of time because `now` is.
local function end_message(m, state, now, reason)
  local x = x_of(m.id)
  put(x, 'state', state)
  put(x, 'ended', now)
  put(x, 'reason', reason)
  if m.expires > 0 then redis.call('ZREM', cell .. 'expiring', m.id) end
  count('acc:' .. m.account, 'open', -1)
  count_end(m.channel, state)
  if m.batch then count('bat:' .. m.batch, 'n:' .. state, 1) end
  append('spent', string.format('%.0f %s %s', now, m.account, m.id))
end
