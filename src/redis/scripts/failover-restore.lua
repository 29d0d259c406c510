--@ lib clock
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--[[ failover-restore: a live worker knows that it began these. Where that was lost they are `sending` again under its
     release and token, with their hold, so that settling them again charges the windows, and nobody sends them a second
     time. Redis holds an earlier moment of one history (replication and the append-only file keep order): what it knows of
     a message is true, and only what came last is missing. Repeating it changes nothing.
     KEYS 1 cell
     ARGV 1 ms until the reaper may have them, then for each thirteen: id, release, token, settled (0|1: it was told that its
          outcome is kept), charged (0|1: it was, or may have been, sent), begun so long ago (ms), account, channel, sender,
          recipient, batch or '', created, body or ''
     Reply for each: 0 nothing of it was lost, or nothing can be done | 1 it is being sent, as Redis knew
                     | 2 the same, and Redis had lost that, or its outcome ]]
local reap_in, EACH = tonumber(ARGV[1]), 13
local now = keep_clock()
local moves = tonumber(redis.call('HGET', cell .. 'home', 'moves') or '0')

-- Counted once for each failover, however often it is told. `known`: the last release of which Redis knows what came.
local function put_back(x)
  if x.f.put_back == moves then return end
  local is_open = x.f.state == 'released' or x.f.state == 'sending'
  put(x, 'known', (x.f.release or 0) - (is_open and 1 or 0))
  put(x, 'put_back', moves)
  redis.call('HINCRBY', cell .. 'home', 'restored', 1)
end

-- An earlier attempt, which another worker tells of after the later one was put back: what it may have sent counts.
local function earlier(m, x, release, charged)
  local told = 'told' .. release
  if not m or x.f.put_back ~= moves or release <= x.f.known or not charged or x.f[told] == moves then return end
  put(x, told, moves)
  charge(m, now)
end

-- Its acceptance was lost as well. What the worker did not keep (priority, reference, metadata, expiry) is gone.
local function record_again(at)
  local id, account, channel, sender, recipient = ARGV[at], ARGV[at + 6], ARGV[at + 7], ARGV[at + 8], ARGV[at + 9]
  local batch, created, body = ARGV[at + 10], tonumber(ARGV[at + 11]), ARGV[at + 12]
  if batch == '' or redis.call('EXISTS', cell .. 'bat:' .. batch) == 0 then batch = nil end
  local m = {
    id = id, number = 0, account = account, channel = channel, class = 'normal', created = created, due = 0, expires = 0,
    batch = batch, sender = sender, recipient = recipient,
  }
  write_message(m, '\n' .. body)
  if batch then note_accepted(batch, 1) end
  redis.call('ZADD', cell .. 'idx:' .. account, created, id)
  redis.call('HINCRBY', cell .. 'acc:' .. account, 'open', 1)
  return m
end

local function take_from(m, state)
  if state == 'released' then return leave_released(m) end
  if state == 'sending' then return leave_sending(m) end
  if state == 'queued' then lane_lost(m, 1) end
  if state == 'scheduled' then
    redis.call('ZREM', cell .. 'scheduled', m.id)
    add(ac_of(m.account, m.channel), 'scheduled', -1)
  end
  if state == 'asking' then redis.call('ZREM', cell .. 'asking', m.id) end
  hold(m, 1)
end

local function restore(at)
  local id, release, token = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2]
  local settled, charged, began = ARGV[at + 3] == '1', ARGV[at + 4] == '1', now - tonumber(ARGV[at + 5])
  local x, m = x_of(id), message(id)
  local state = m and state_of(id)
  if (x.f.release or 0) > release then
    earlier(m, x, release, charged)
    return 0
  end
  if x.f.release == release and x.f.token == token then
    if state ~= 'sending' then return 0 end
    if settled then put_back(x) end
    return settled and 2 or 1
  end
  if ENDED[state] or (state == 'sending' and x.f.release == release) then
    -- Too late: it was canceled, or somebody else has sent it since. What went went, and counts.
    if x.f.put_back ~= moves and charged then charge(m, now) end
    put_back(x)
    return 0
  end
  if not m then
    -- Without its account there is nothing that could send for it, and no limit that could be broken.
    if redis.call('EXISTS', cell .. 'acc:' .. ARGV[at + 6]) == 0 then return 0 end
    m = record_again(at)
  end
  put_back(x)
  take_from(m, state)
  put(x, 'state', 'sending')
  put(x, 'release', release)
  put(x, 'token', token)
  put(x, 'began', began)
  put(x, 'due', nil)
  put(x, 'reaped', nil)
  put(x, 'lane', nil) -- what begin noted beside it is lost
  move('sending', id, text_of(now + reap_in))
  add(ac_of(m.account, m.channel), 'sending', 1)
  for _, row in ipairs({ rate_of(m.channel), q_of_sender(m) }) do
    if row.f.interval then put(row, 'last', math.max(row.f.last or 0, began)) end
  end
  return 2
end

local replies = {}
for at = 2, #ARGV, EACH do replies[#replies + 1] = restore(at) end
flush()
return replies
