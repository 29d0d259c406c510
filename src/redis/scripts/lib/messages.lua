-- A message's record. `m:<id>` never changes but for losing its body: a header line, a line of JSON that is kept ('' for
-- none), a line of JSON that goes with the body's retention. `x:<id>` is what changes. The allocator's classes are 128
-- bytes apart from 512 on, and every message that waits pays for its header, so that is short:
--   +<number> <account> <channel and class, a letter each> <created, hex> <sender> <recipient>, and then, only where one
--   of them is there, <due> <expires> <batch or ->
-- Ten words are how it was before; such records are read for as long as there may be some. Only this file knows.
--
-- A bulk has a row for each recipient instead: an entry of `bat:<batch>:rows` at the place that stands at the end of the
-- id (a bulk's ids are one seed and 0, 1, 2…), and what they share once, in `head` of `bat:<batch>`:
--   =<number> <ms after the batch> <recipient>, and two lines as above
-- A row is '' once it was purged, and where the message has a record of its own: it differs from the others, it is long
-- (to find a row Redis walks over the blocks of 8 KB before it), or what came before it was lost in a failover.
local ENDED = {
  sent = true, delivered = true, undelivered = true, failed = true,
  expired = true, canceled = true, suppressed = true, uncertain = true,
}
-- 254 characters of sender, as many of recipient, ids, numbers and spaces.
local HEADER_BYTES = 800
local SHARED = '^(%S+) (%l)(%l) (%S+) (%d+) (%d+) (%d+)$'
-- Crockford's digits, as those by which Lua counts.
local DIGIT = {
  J = 'I', K = 'J', M = 'K', N = 'L', P = 'M', Q = 'N', R = 'O', S = 'P', T = 'Q', V = 'R', W = 'S', X = 'T', Y = 'U', Z = 'V',
}
local ROW_BYTES = 512 -- of what is kept and the body
local LETTER = { email = 'e', sms = 's', voice = 'v', whatsapp = 'w', high = 'h', normal = 'n', low = 'l' }
local WORD = { e = 'email', s = 'sms', v = 'voice', w = 'whatsapp', h = 'high', n = 'normal', l = 'low' }

local known_messages, known_batches = {}, {}

-- The batch whose seed an id has, whether or not there is one, and the id's place in it (domain/id.ts).
local function place_of(id)
  local place = string.sub(id, 26)
  if #id ~= 30 or string.sub(id, 1, 4) ~= 'msg_' or not string.find(place, '^[0-9A-HJKMNP-TV-Z]+$') then return nil end
  if string.find(place, '[J-Z]') then place = string.gsub(place, '[J-Z]', DIGIT) end
  return 'bat_' .. string.sub(id, 5, 25) .. '00000', tonumber(place, 32)
end

local function rows_of(batch)
  return 'bat:' .. batch .. ':rows'
end

local function shared_text(account, channel, class, sender, created, due, expires)
  return string.format('%s %s%s %s %.0f %.0f %.0f', account, LETTER[channel], LETTER[class], sender, created, due, expires)
end

-- What the messages of a batch share; false for one that has no rows: it is gone, or was opened by the version before.
local function shared_of(batch)
  if known_batches[batch] == nil then
    local head, records, total = unpack(redis.call('HMGET', cell .. 'bat:' .. batch, 'head', 'records', 'total'))
    local account, channel, class, sender, created, due, expires = string.match(head or '', SHARED)
    known_batches[batch] = account and {
      account = account, channel = WORD[channel], class = WORD[class], sender = sender, created = tonumber(created),
      due = tonumber(due), expires = tonumber(expires), rows = cell .. rows_of(batch), is_whole = records == total,
    } or false
  end
  return known_batches[batch]
end

local function row_at(batch, place)
  local shared = shared_of(batch)
  return shared and redis.call('LINDEX', shared.rows, place) or ''
end

local function row_of(id)
  local batch, place = place_of(id)
  return batch and row_at(batch, place) or ''
end

-- The text of a message's record (`command`: GET, or GETRANGE with its `last` byte), '' for none; of a row, its batch too.
-- What has a place after the first is a bulk's, and stands in a row more often than not.
local function read_record(id, command, ...)
  local batch, place = place_of(id)
  if batch and place > 0 then
    local text = row_at(batch, place)
    if text ~= '' then return text, batch end
  end
  local text = redis.call(command, cell .. 'm:' .. id, ...)
  if text and text ~= '' then return text end
  return place == 0 and row_at(batch, place) or '', batch
end

local parse_message
do
  local HEADER = '^%+(%d+) (%S+) (%l)(%l) (%x+) (%S+) (%S+)([^\n]*)\n()'
  local ROW = '^=(%d+) (%d+) (%S+)\n()'
  local TEN_WORDS = '^(%d+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)\n()'

  local function parse_row(id, text, batch)
    local number, after, recipient, rest = string.match(text, ROW)
    local shared = number and shared_of(batch)
    if not shared then return nil end
    return {
      id = id, number = tonumber(number), account = shared.account, channel = shared.channel, class = shared.class,
      created = shared.created + after, due = shared.due, expires = shared.expires,
      batch = batch, sender = shared.sender, recipient = recipient,
    }, rest
  end

  local function parse_ten_words(id, text)
    local number, account, channel, class, created, due, expires, batch, sender, recipient, rest = string.match(text, TEN_WORDS)
    if not number then return nil end
    return {
      id = id, number = tonumber(number), account = account, channel = channel, class = class,
      created = tonumber(created), due = tonumber(due), expires = tonumber(expires),
      batch = batch ~= '-' and batch or nil, sender = sender, recipient = recipient,
    }, rest
  end

  local function parse_header(id, text, batch)
    local mark = string.byte(text, 1)
    if mark == 61 then return parse_row(id, text, batch) end -- =
    if mark ~= 43 then return parse_ten_words(id, text) end -- +
    local number, account, channel, class, created, sender, recipient, more, rest = string.match(text, HEADER)
    if not number then return nil end
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

  -- The message, and where what follows its header begins.
  function parse_message(id, text, batch)
    local m, rest = parse_header(id, text, batch)
    known_messages[id] = m
    return m, rest
  end
end

-- The header of a message, or nil when there is no such message (any more).
local function message(id)
  return known_messages[id] or (parse_message(id, read_record(id, 'GETRANGE', 0, HEADER_BYTES)))
end

local function message_exists(id)
  local batch, place = place_of(id)
  local shared = batch and place > 0 and shared_of(batch)
  if shared and shared.is_whole then return true end
  return read_record(id, 'GETRANGE', 0, 0) ~= ''
end

-- The same with its record: what is kept, a newline and the body begin at the third that is answered.
local function whole_message(id)
  local text, batch = read_record(id, 'GET')
  local m, rest = parse_message(id, text, batch)
  return m, text, rest
end

-- Hex of instants, made once for each call, and joined by Lua itself: string.format costs four times as much.
local hexes = {}

-- @param text the two lines after the header
local function record_text(m, text)
  local more, created = '', hexes[m.created] or string.format('%x', m.created)
  hexes[m.created] = created
  if m.due > 0 or m.expires > 0 or m.batch then more = string.format(' %.0f %.0f %s', m.due, m.expires, m.batch or '-') end
  return '+' .. m.number .. ' ' .. m.account .. ' ' .. LETTER[m.channel] .. LETTER[m.class] .. ' ' .. created .. ' ' .. m.sender
    .. ' ' .. m.recipient .. more .. '\n' .. text
end

local function write_message(m, text)
  redis.call('SET', cell .. 'm:' .. m.id, record_text(m, text))
  known_messages[m.id] = m
end

-- The row of a message, '' where it is to have a record of its own.
local function row_text(m, text)
  local shared = shared_of(m.batch)
  local is_alike = shared.account == m.account and shared.channel == m.channel and shared.class == m.class
    and shared.sender == m.sender and shared.due == m.due and shared.expires == m.expires and m.created >= shared.created
  if not is_alike or #text - 1 > ROW_BYTES then return '' end
  return string.format('=%d %.0f %s\n%s', m.number, m.created - shared.created, m.recipient, text)
end

-- From now on the batch stays until its last record goes; its rows as well, where purge had given them the rest of a day.
local function note_accepted(batch, count)
  local key = cell .. 'bat:' .. batch
  if redis.call('HEXISTS', key, 'accepted') == 0 then return end
  redis.call('HINCRBY', key, 'accepted', count)
  redis.call('PERSIST', key)
  redis.call('PERSIST', cell .. rows_of(batch))
end

local function put_row(id, text)
  local batch, place = place_of(id)
  redis.call('LSET', cell .. rows_of(batch), place, text)
end

-- The body goes: two lines of three are left.
local function drop_body(id)
  local own = redis.call('GET', cell .. 'm:' .. id)
  local left = string.match(own or row_of(id), '^([^\n]*\n[^\n]*\n)')
  if not left then return end
  if own then redis.call('SET', cell .. 'm:' .. id, left) else put_row(id, left) end
end

local function drop_message(id)
  if redis.call('DEL', cell .. 'm:' .. id) == 0 and row_of(id) ~= '' then put_row(id, '') end
  redis.call('DEL', cell .. 'x:' .. id)
end

local function x_of(id)
  return row('x:' .. id)
end

-- scheduled, queued, released, sending, asking or an end; nil when there is no such message.
local function state_of(id)
  local state = x_of(id).f.state
  if state then return state end
  if not message(id) then return nil end
  return redis.call('ZSCORE', cell .. 'scheduled', id) and 'scheduled' or 'queued'
end
