--@ lib clock
--@ lib making-room
--@ lib hashes
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

local function count_down(batch, field)
  return redis.call('HINCRBY', cell .. 'bat:' .. batch, field, -1) <= 0
end

local bodies = drain('spent', body_retention, function(id, _, entry)
  local m = message(id)
  if m then
    local text = redis.call('GET', cell .. 'm:' .. id)
    local head = string.match(text, '^([^\n]*\n[^\n]*\n)')
    if head then redis.call('SET', cell .. 'm:' .. id, head) end
    if m.batch and count_down(m.batch, 'bodies') then redis.call('HDEL', cell .. 'bat:' .. m.batch, 'template') end
  end
  redis.call('RPUSH', cell .. 'ended', entry)
end)

local records = drain('ended', retention, function(id, account)
  local m = message(id)
  redis.call('DEL', cell .. 'm:' .. id, cell .. 'x:' .. id)
  redis.call('ZREM', cell .. 'idx:' .. account, id)
  if m and m.batch and count_down(m.batch, 'records') then
    redis.call('UNLINK', cell .. 'bat:' .. m.batch, cell .. 'bat:' .. m.batch .. ':ids')
  end
end)
return { bodies, records, (bodies == most or records == most) and 1 or 0 }
