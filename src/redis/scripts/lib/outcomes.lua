-- What becomes of a message whose attempt is over: the ends and the returns that settle and reap share.

-- Not now: scheduled again, or expired if its time is up meanwhile.
local function later(m, now, delay)
  if m.expires > 0 then
    if m.expires <= now then
      end_message(m, 'expired', now, 'it expired before it could be tried again')
      return
    end
    redis.call('ZADD', cell .. 'expiring', m.expires, m.id)
  end
  schedule(m, now + delay)
end

-- As the account says; else email goes again (the same Message-ID, Date and body), SMS and WhatsApp do not. A call is never
-- dialed twice, whatever anybody says.
local function goes_again(m)
  if m.channel == 'voice' then return false end
  local stated = redis.call('HGET', cell .. 'acc:' .. m.account, 'on_uncertain')
  local choice = stated and cjson.decode(stated)[m.channel] or (m.channel == 'email' and 'resend' or 'hold')
  return choice == 'resend'
end

-- A text that may have been sent is looked for at the provider this long after nobody knew (ms); until then, and if it is
-- not found, it is told as uncertain. Email has no such list, and a call says soon by itself how it went.
local ASK_AFTER = { 15000, 60000, 300000 }

local function is_asked_about(m)
  return m.channel == 'sms' or m.channel == 'whatsapp'
end

local function start_asking(m, now, reason)
  local x = x_of(m.id)
  put(x, 'state', 'asking')
  put(x, 'reason', reason)
  put(x, 'asked', 0)
  put(x, 'asking_since', now)
  redis.call('ZADD', cell .. 'asking', now + ASK_AFTER[1], m.id)
end

-- Once more, although it may have been sent: whoever hears meanwhile that it was (heard.lua) takes it out again.
local function once_more(m, now, delay)
  put(x_of(m.id), 'doubt', 1)
  later(m, now, delay)
end

-- It may have been sent: charged, never refunded. What the provider has told us meanwhile (a callback that was quicker
-- than the reply) settles it. `again`: its provider would send it once, however often it is shown; it goes through the gate
-- and is charged all the same, since it may arrive in another window than the one that was charged for it.
local function settle_uncertain(m, now, tries_left, delay, reason, again)
  local x = x_of(m.id)
  hold(m, -1)
  charge(m, now)
  usage(m, now, x.f.heard and 'sent' or 'uncertain')
  if x.f.heard then
    end_message(m, x.f.heard, now)
  elseif again and tries_left and m.channel ~= 'voice' then
    once_more(m, now, delay)
  elseif is_asked_about(m) then
    start_asking(m, now, reason)
  elseif tries_left and goes_again(m) then
    once_more(m, now, delay)
  else
    end_message(m, 'uncertain', now, reason)
  end
end

-- Which message a provider's id belongs to, for as long as a text of the same words may be looked for.
local CLAIMED_FOR = 900000 -- ms: well past the last time of asking
local function whose_text(provider_id)
  return redis.call('GET', cell .. 'sid:' .. provider_id)
end

local function claim_text(m, provider_id)
  if is_asked_about(m) then redis.call('SET', cell .. 'sid:' .. provider_id, m.id, 'PX', CLAIMED_FOR) end
end

-- It was another's: whoever is asked about next may have it.
local function leave_text(m, provider_id)
  if whose_text(provider_id) == m.id then redis.call('DEL', cell .. 'sid:' .. provider_id) end
end

-- Asked about, and now it is known what became of it.
local function end_asking(m, state, now, reason)
  redis.call('ZREM', cell .. 'asking', m.id)
  if state ~= 'uncertain' then usage(m, now, 'sent') end
  end_message(m, state, now, reason)
end

-- An end that was not the last word: sent → delivered or undelivered, uncertain → any of them. Where it is known only now that
-- it went, it counts as sent now; one that was found by its words did when it was found.
local WENT = { sent = true, delivered = true, undelivered = true }
local function change_end(m, state, now)
  local x = x_of(m.id)
  if WENT[state] and not WENT[x.f.state] and x.f.guessed ~= 1 then usage(m, now, 'sent') end
  if m.batch then
    count('bat:' .. m.batch, 'n:' .. x.f.state, -1)
    count('bat:' .. m.batch, 'n:' .. state, 1)
  end
  put(x, 'state', state)
  put(x, 'reason', state == 'undelivered' and x.f.heard_why or nil)
  count_end(m, state)
end

-- The provider has said by itself whose it is. Where another was taken to be it, because it was asked about first, nobody
-- knows of that one any more.
local function own_text(m, provider_id, now)
  if not is_asked_about(m) then return end
  local whose = whose_text(provider_id)
  if whose and whose ~= m.id then
    local other, x = message(whose), x_of(whose)
    if other and x.f.guessed == 1 and x.f.provider_id == provider_id and x.f.state ~= 'uncertain' then
      change_end(other, 'uncertain', now)
      put(x, 'provider_id', nil)
      put(x, 'reason', 'the text that was found at the provider is another message\'s: it may have been sent')
    end
  end
  claim_text(m, provider_id)
end

local MOST_ATTEMPTS_KEPT = 20

-- An attempt as it is told afterwards: when it began by Redis's clock, a space, the record's JSON.
local function note_attempt(x, record)
  add(x, 'attempts', 1)
  put(x, 'a' .. x.f.attempts, text_of(x.f.began or 0) .. ' ' .. record)
  if x.f.attempts > MOST_ATTEMPTS_KEPT then put(x, 'a' .. (x.f.attempts - MOST_ATTEMPTS_KEPT), nil) end
end
