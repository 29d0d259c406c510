--@ lib clock
--@ lib hashes
--@ lib messages
--@ lib quota
--@ lib lanes
--[[ accept: make drafts messages. Ids are made before the call, so repeating it changes nothing.
     KEYS 1 cell
     ARGV 1 account, 2 backlog cap, 3 batch id or '-', then ten for each message: id, channel, class, sender, recipient,
          due (ms, 0 for at once), expires (ms, 0 for never), sup (the suppressed address to look for), kept JSON, body JSON
     Reply {now, {state, parked (0|1)}…}, or 'gone' (no such account) or 'full' (the cap): then nothing was written ]]
local account, cap, batch = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local FIRST, EACH = 4, 10
local acc = cell .. 'acc:' .. account

local zone, removed, open = unpack(redis.call('HMGET', acc, 'zone', 'removed', 'open'))
if not zone or removed == '1' then return 'gone' end
local fresh, new = {}, 0
for at = FIRST, #ARGV, EACH do
  if redis.call('EXISTS', cell .. 'm:' .. ARGV[at]) == 0 then
    fresh[at] = true
    new = new + 1
  end
end
if new > 0 and tonumber(open or '0') + new > cap then return 'full' end

local now = keep_clock()
local replies = { now }
if new > 0 then redis.call('HINCRBY', acc, 'open', new) end

local function is_parked(m)
  local ln = ln_of(m.account, m.channel, m.class, m.sender)
  local by_quota = ac_of(m.account, m.channel).f.parked == PARKED_BY_QUOTA
  return (by_quota or ln.f.parked) and 1 or 0
end

local has_suppressions = new > 0 and redis.call('EXISTS', cell .. 'sup:' .. account) == 1

for at = FIRST, #ARGV, EACH do
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
    if expires > 0 then redis.call('ZADD', cell .. 'expiring', expires, id) end
    if has_suppressions and redis.call('HEXISTS', cell .. 'sup:' .. account, channel .. '|' .. sup) == 1 then
      state = 'suppressed'
      end_message(m, state, now, 'the address is suppressed')
    elseif due > now then
      state = 'scheduled'
      redis.call('ZADD', cell .. 'scheduled', due, id)
      add(ac_of(account, channel), 'scheduled', 1)
    else
      state = 'queued'
      m.number = push(m, false)
    end
    write_message(m, kept, body)
    move('idx:' .. account, id, now)
    if batch ~= '-' then append('bat:' .. batch .. ':ids', id) end
  end
  replies[#replies + 1] = { state or state_of(id), m and is_parked(m) or 0, string.format('%.0f', m and m.created or now) }
end
flush()
return replies
