--@ lib clock
--@ lib making-room
--@ lib rows
--@ lib messages
--[[ purge: bodies, then whole records of messages that ended long enough ago leave Redis; a batch's template goes with its
     last body, the batch with its last record.
     KEYS 1 cell
     ARGV 1 body retention (ms), 2 retention (ms), 3 at most so many of each
     Reply {bodies, records, more (0|1)} ]]
local body_retention, retention, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = keep_clock()

-- Takes the entries of a list whose time has come, in order, and gives each to `act`.
local function drain(list, length, act)
  local count = 0
  while count < most do
    local entry = redis.call('LINDEX', cell .. list, 0)
    if not entry then break end
    local at, account, id = string.match(entry, '^(%d+) (%S+) (%S+)$')
    if tonumber(at) + length > now then break end
    redis.call('LPOP', cell .. list)
    act(id, account, entry)
    count = count + 1
  end
  return count
end

local DAY = 86400000

local function count_down(batch, field)
  return redis.call('HINCRBY', cell .. 'bat:' .. batch, field, -1)
end

-- A batch goes with its last record. One whose acceptance broke off half-way never counts down to nothing; where no record
-- of it is left it stays for the rest of its first day, in which the request may be repeated (its rows say what was accepted
-- already), and then goes by itself: nothing will ask here again.
local function end_with_last(batch)
  local left = count_down(batch, 'records')
  local key, stays = cell .. 'bat:' .. batch, 0
  if left > 0 then
    local total, accepted, created = unpack(redis.call('HMGET', key, 'total', 'accepted', 'created'))
    if not accepted or left > total - accepted then return end
    stays = created + DAY - now
  end
  if stays <= 0 then
    redis.call('UNLINK', key, key .. ':ids', cell .. rows_of(batch))
    return
  end
  redis.call('PEXPIRE', key, stays)
  redis.call('PEXPIRE', cell .. rows_of(batch), stays)
end

local bodies = drain('spent', body_retention, function(id, _, entry)
  local m = message(id)
  if m then
    drop_body(id)
    if m.batch and count_down(m.batch, 'bodies') <= 0 then redis.call('HDEL', cell .. 'bat:' .. m.batch, 'template') end
  end
  redis.call('RPUSH', cell .. 'ended', entry)
end)

local records = drain('ended', retention, function(id, account)
  local m = message(id)
  drop_message(id)
  redis.call('ZREM', cell .. 'idx:' .. account, id)
  if m and m.batch then end_with_last(m.batch) end
end)
return { bodies, records, (bodies == most or records == most) and 1 or 0 }
