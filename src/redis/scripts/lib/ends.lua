-- What becomes of messages, counted: for reports by the hour, for /metrics, for the cap of each account. Most of what a
-- script ends is of a few accounts, so it is counted here for each account and channel, and written once by `flush`.
local usage, count_end, end_message, write_tallies
do
  local tallies, tally_order = {}, {}
  local USE_DAYS = 40 -- as far back as a report may ask

  local function tally_of(account, channel)
    local on = branch(tallies, account)
    local tally = on[channel]
    if not tally then
      tally = { account = account, channel = channel, open = 0, ended = {}, used = {} }
      on[channel] = tally
      tally_order[#tally_order + 1] = tally
    end
    return tally
  end

  -- In the account's hour that is running, or UTC's when its zone is not known.
  function usage(m, now, outcome)
    local tally = tally_of(m.account, m.channel)
    tally.now = now
    tally.used[outcome] = (tally.used[outcome] or 0) + 1
  end

  -- Over all processes, whoever ended it.
  function count_end(m, state)
    local ended = tally_of(m.account, m.channel).ended
    ended[state] = (ended[state] or 0) + 1
  end

  -- An end state. The caller has taken the message out of wherever it was. `spent` is in order of time because `now` is.
  function end_message(m, state, now, reason)
    local f, tally = touch(x_of(m.id)), tally_of(m.account, m.channel)
    -- Why it was not delivered its provider may have told before the attempt was over (heard.lua).
    f.state, f.ended, f.reason = state, now, reason or (state == 'undelivered' and f.heard_why or nil)
    f.lane, f.turn, f.expires, f.batch = nil, nil, nil, nil
    if m.expires > 0 then redis.call('ZREM', cell .. 'expiring', m.id) end
    tally.open = tally.open - 1
    count_end(m, state)
    if m.batch then count('bat:' .. m.batch, 'n:' .. state, 1) end
    append('spent', text_of(now) .. ' ' .. m.account .. ' ' .. m.id)
  end

  local function write_usage(tally)
    local hour = window_of(account_of(tally.account).zone, 'hour', tally.now) or tally.now - tally.now % 3600000
    local key = cell .. 'use:' .. tally.account .. ':' .. tally.channel .. ':' .. math.floor(tally.now / 86400000)
    for outcome, by in pairs(tally.used) do
      local value = redis.call('HINCRBY', key, text_of(hour) .. ':' .. outcome, by)
      if value == by then redis.call('EXPIRE', key, USE_DAYS * 86400) end
    end
  end

  function write_tallies()
    for _, tally in ipairs(tally_order) do
      if tally.open ~= 0 then count('acc:' .. tally.account, 'open', tally.open) end
      if tally.now then write_usage(tally) end
      for state, by in pairs(tally.ended) do add(row('stat:' .. tally.channel), 'ended:' .. state, by) end
    end
    tallies, tally_order = {}, {}
  end
end
