-- A message's record. `m:<id>` never changes but for losing its body: a header line, a line of JSON that is kept ('' for
-- none), a line of JSON that goes with the body's retention. `x:<id>` is what changes. The allocator's classes are 128
-- bytes apart from 512 on, and every message that waits pays for its header, so that is short:
--   +<number> <account> <channel and class, a letter each> <created, hex> <sender> <recipient>, and then, only where one
--   of them is there, <due> <expires> <batch or ->
-- Ten words are how it was before; such records are read for as long as there may be some. Only this file knows.
local ENDED = {
  sent = true, delivered = true, undelivered = true, failed = true,
  expired = true, canceled = true, suppressed = true, uncertain = true,
}
-- 254 characters of sender, as many of recipient, ids, numbers and spaces.
local HEADER_BYTES = 800
local HEADER = '^%+(%d+) (%S+) (%l)(%l) (%x+) (%S+) (%S+)([^\n]*)\n()'
local TEN_WORDS = '^(%d+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)\n()'
local LETTER = { email = 'e', sms = 's', voice = 'v', whatsapp = 'w', high = 'h', normal = 'n', low = 'l' }
local WORD = { e = 'email', s = 'sms', v = 'voice', w = 'whatsapp', h = 'high', n = 'normal', l = 'low' }

local known_messages = {}

local function parse_ten_words(id, text)
  local number, account, channel, class, created, due, expires, batch, sender, recipient, rest = string.match(text, TEN_WORDS)
  if not number then return nil end
  return {
    id = id, number = tonumber(number), account = account, channel = channel, class = class,
    created = tonumber(created), due = tonumber(due), expires = tonumber(expires),
    batch = batch ~= '-' and batch or nil, sender = sender, recipient = recipient,
  }, rest
end

local function parse_header(id, text)
  local number, account, channel, class, created, sender, recipient, more, rest = string.match(text, HEADER)
  if not number then return parse_ten_words(id, text) end
  local m = {
    id = id, number = tonumber(number), account = account, channel = WORD[channel], class = WORD[class],
    created = tonumber(created, 16), due = 0, expires = 0, sender = sender, recipient = recipient,
  }
  if more ~= '' then
    local due, expires, batch = string.match(more, '^ (%S+) (%S+) (%S+)$')
    m.due, m.expires, m.batch = tonumber(due), tonumber(expires), batch ~= '-' and batch or nil
  end
  return m, rest
end

-- And where what follows the header begins.
local function parse_message(id, text)
  local m, rest = parse_header(id, text)
  known_messages[id] = m
  return m, rest
end

-- The header of a message, or nil when there is no such message (any more).
local function message(id)
  return known_messages[id] or (parse_message(id, redis.call('GETRANGE', cell .. 'm:' .. id, 0, HEADER_BYTES)))
end

-- The same with what follows it: what is kept, a newline, the body.
local function whole_message(id)
  local text = redis.call('GET', cell .. 'm:' .. id)
  if not text then return nil end
  local m, rest = parse_message(id, text)
  return m, m and string.sub(text, rest)
end

local function write_message(m, kept, body)
  local more = ''
  if m.due > 0 or m.expires > 0 or m.batch then more = string.format(' %.0f %.0f %s', m.due, m.expires, m.batch or '-') end
  redis.call('SET', cell .. 'm:' .. m.id, string.format('+%d %s %s%s %x %s %s%s\n%s\n%s', m.number, m.account,
    LETTER[m.channel], LETTER[m.class], m.created, m.sender, m.recipient, more, kept, body))
  known_messages[m.id] = m
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
  count('use:' .. m.account .. ':' .. m.channel .. ':' .. day, text_of(hour_start) .. ':' .. outcome, 1)
end

-- For /metrics: over all processes, whoever ended it. Fields that no script puts into its copy of the row.
local function count_end(channel, state)
  count('stat:' .. channel, 'ended:' .. state, 1)
end

-- An end state. The caller has taken the message out of wherever it was. `spent` is in order of time because `now` is.
local function end_message(m, state, now, reason)
  local x = x_of(m.id)
  put(x, 'state', state)
  put(x, 'ended', text_of(now))
  put(x, 'reason', reason)
  if m.expires > 0 then redis.call('ZREM', cell .. 'expiring', m.id) end
  count('acc:' .. m.account, 'open', -1)
  count_end(m.channel, state)
  if m.batch then count('bat:' .. m.batch, 'n:' .. state, 1) end
  append('spent', text_of(now) .. ' ' .. m.account .. ' ' .. m.id)
end
