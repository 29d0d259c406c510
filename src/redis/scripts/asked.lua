--@ lib clock
--@ lib making-room
--@ lib hashes
--@ lib messages
--@ lib quota
--@ lib lanes
--@ lib outcomes
--[[ asked: what the provider said of a text that may have been sent. Found: that is its end. Not found: it is asked again
     later, and the last time that is all there is to know; it goes again only if its account asked for that and the
     provider said plainly that it does not have it.
     KEYS 1 cell
     ARGV 1 id, 2 how often it had been asked (fences), 3 verdict (sent|delivered|undelivered|absent|unknown),
          4 provider's id ('' for none), 5 tries at most, 6 delay before it goes again (ms)
     Reply 'ended' | 'again' (asked later) | 'resend' | 'stale': somebody knows already, nothing changed ]]
local id, times, verdict, provider_id = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local most_tries, delay = tonumber(ARGV[5]), tonumber(ARGV[6])
local now = keep_clock()
local m, x = message(id), x_of(id)
if not m or x.f.state ~= 'asking' or (x.f.asked or 0) ~= times then return 'stale' end

if verdict ~= 'absent' and verdict ~= 'unknown' then
  if provider_id ~= '' then put(x, 'provider_id', provider_id) end
  end_asking(m, verdict, now)
  flush()
  return 'ended'
end
put(x, 'asked', times + 1)
local next_after = ASK_AFTER[times + 2]
if next_after then
  redis.call('ZADD', cell .. 'asking', math.max(now, x.f.asking_since + next_after), id)
  flush()
  return 'again'
end
if verdict == 'absent' and goes_again(m) and (x.f.tries or 0) < most_tries then
  redis.call('ZREM', cell .. 'asking', id)
  once_more(m, now, delay)
  flush()
  return 'resend'
end
end_asking(m, 'uncertain', now, x.f.reason)
flush()
return 'ended'
