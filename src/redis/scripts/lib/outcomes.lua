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

-- It may have been sent: charged, never refunded.
local function settle_uncertain(m, now, tries_left, delay, reason)
  hold(m, -1)
  charge(m, now)
  usage(m, now, hour_of_account(m, now), 'uncertain')
  if tries_left and goes_again(m) then later(m, now, delay) else end_message(m, 'uncertain', now, reason) end
end

local MOST_ATTEMPTS_KEPT = 20

-- An attempt as it is told afterwards: when it began by Redis's clock, a space, the record's JSON.
local function note_attempt(x, record)
  add(x, 'attempts', 1)
  put(x, 'a' .. x.f.attempts, string.format('%.0f ', x.f.began or 0) .. record)
  if x.f.attempts > MOST_ATTEMPTS_KEPT then put(x, 'a' .. (x.f.attempts - MOST_ATTEMPTS_KEPT), nil) end
end
