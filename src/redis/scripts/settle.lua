--@ lib clock
--@ lib making-room
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib called
--@ lib flush
--@ lib outcomes
--@ lib leaving
--[[ settle: an attempt is over. Gives back its hold and charges it where it was spent: in the windows that hold *now*.
     KEYS 1 cell
     ARGV eleven for each message: token of its run, id, release, action (sent|failed|later|uncertain), delay (ms),
          tries it cost (0|1), tries at most, what to close ('-'|sender|channel), for how long (ms),
          the attempt's record (JSON, '' for none), a JSON object {provider_id?, reason?, suppress?,
          again?: shown to its provider twice it is sent once}
     Reply for each: 'ok' | 'refused': not sending under this release and token (the normal answer to a resend); nothing
     changed, but that a message the reaper took for uncertain, and that has not been released anew, is `sent` if the
     late news is that it was. ]]
local now = keep_clock()
local OUTCOME_OF = { sent = 'sent', failed = 'failed' }

local function close(m, about, length)
  local row = about == 'channel' and rate_of(m.channel) or q_of_sender(m)
  put(row, 'closed', math.max(row.f.closed or 0, now + length))
  -- What is released comes back: who was called counts, not who was let go.
  if about == 'channel' then put(stat_of(m.channel), 'served_h', stat_of(m.channel).f.called_h) end
end

-- How often one that went through H was called since one through A was.
local function count_call(m, x)
  local ring, stat = ring_and_turn(x), stat_of(m.channel)
  if ring == 'h' then add(stat, 'called_h', 1) elseif ring == 'a' then put(stat, 'called_h', nil) end
end

-- A message on its way: its state says what settles it (release and begin put it there), and its record need not be read
-- again. Who it is for, and when it was made, only the record knows.
local on_lane = {}

local function on_its_way(id, x)
  local f = x.f
  local name = f.lane
  if not name then return message(id) end
  local lane = on_lane[name]
  if not lane then
    lane = { split_lane(name) }
    on_lane[name] = lane
  end
  return {
    id = id, account = lane[1], channel = lane[2], class = lane[3], sender = lane[4], lane = name,
    expires = f.expires or 0, batch = f.batch,
  }
end

-- What the reaper makes of one that may have been sent: it ends, is asked about, or waits to go once more (the token of the
-- run that began it goes when it is released anew, so that news of an earlier run is none of a later one).
local REAPED_TO = { uncertain = true, asking = true, scheduled = true, queued = true }

-- The reaper was too quick: the worker lives, and knows that it was sent. The reaper has charged it.
local function late_news(m, x, provider_id)
  if provider_id then
    own_text(m, provider_id, now)
    put(x, 'provider_id', provider_id)
  end
  local state, is_now = x.f.state, x.f.heard or 'sent'
  if state == 'asking' then
    end_asking(m, is_now, now)
  elseif state == 'uncertain' then
    change_end(m, is_now, now)
  else
    usage(m, now, 'sent')
    leave(m, is_now, now)
  end
end

local function settle(at)
  local token, id, release = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local action, delay = ARGV[at + 3], tonumber(ARGV[at + 4])
  local tries, most_tries = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
  local about, length, record, more = ARGV[at + 7], tonumber(ARGV[at + 8]), ARGV[at + 9], cjson.decode(ARGV[at + 10])
  local x = x_of(id)
  if x.f.release ~= release or x.f.token ~= token then return 'refused' end
  local m = on_its_way(id, x)
  if not m then return 'refused' end
  if REAPED_TO[x.f.state] and x.f.reaped == 1 and action == 'sent' then
    late_news(m, x, more.provider_id)
    return 'refused'
  end
  if x.f.state ~= 'sending' then return 'refused' end
  leave_sending(m)
  count_call(m, x)
  add(x, 'tries', tries)
  if record ~= '' then note_attempt(x, record) end
  if more.provider_id then
    own_text(m, more.provider_id, now)
    put(x, 'provider_id', more.provider_id)
  end
  -- This try was refused; but it was one more because nobody knew, and its provider has told meanwhile of the one before,
  -- which is charged.
  local is_known = x.f.doubt and x.f.heard and (action == 'failed' or action == 'later')
  if action == 'sent' then
    hold(m, -1)
    charge(m, now)
    end_message(m, x.f.heard or 'sent', now)
  elseif is_known then
    hold(m, -1)
    end_message(m, x.f.heard, now)
  elseif action == 'failed' then
    hold(m, -1)
    end_message(m, 'failed', now, more.reason)
  elseif action == 'later' then
    hold(m, -1)
    later(m, now, delay)
  else
    settle_uncertain(m, now, (x.f.tries or 0) < most_tries, delay, more.reason, more.again)
  end
  local outcome = is_known and 'sent' or OUTCOME_OF[action]
  if outcome then usage(m, now, outcome) end
  if about ~= '-' then
    close(m, about, length)
    -- A provider that took it and has little left is eased off, and has refused nothing.
    if action ~= 'sent' then
      usage(m, now, 'throttled')
      if about == 'channel' then end_turn(m) end
    end
  end
  if more.suppress then
    local address = m.channel .. '|' .. string.lower(message(id).recipient)
    redis.call('HSETNX', cell .. 'sup:' .. m.account, address, cjson.encode({ reason = more.suppress, created_at = now }))
    redis.call('ZADD', cell .. 'sups:' .. m.account, 0, address)
  end
  if action == 'failed' or action == 'later' then wake(m) end
  return 'ok'
end

local replies = {}
for at = 1, #ARGV, 11 do replies[#replies + 1] = settle(at) end
flush()
return replies
