--@ lib clock
--@ lib making-room
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--@ lib outcomes
--[[ asked: what the provider said of a text that may have been sent. Found: that is its end. Not found: it is asked again
     later, and the last time, or where there is nobody to ask, that is all there is to know; it goes again only if its
     account asked for that and the provider said plainly that it does not have it.
     KEYS 1 cell
     ARGV 1 id, 2 how often it had been asked (fences), 3 tries at most, 4 delay before it goes again (ms),
          5 found|absent|unknown|unaskable, then for each that was found: sent|delivered|undelivered, provider's id
     Reply 'ended' | 'again' (asked later) | 'resend' | 'stale': somebody knows already, nothing changed ]]
local id, times, most_tries, delay = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local verdict = ARGV[5]
local now = keep_clock()
local m, x = message(id), x_of(id)
if not m or x.f.state ~= 'asking' or (x.f.asked or 0) ~= times then return 'stale' end

-- The same words to the same number may have been sent for somebody else: what is another message's is not this one.
for at = 6, #ARGV, 2 do
  local provider_id = ARGV[at + 1]
  local whose = whose_text(provider_id)
  if not whose or whose == id then
    claim_text(m, provider_id)
    put(x, 'provider_id', provider_id)
    put(x, 'guessed', 1)
    end_asking(m, ARGV[at], now)
    flush()
    return 'ended'
  end
end
if verdict == 'found' then verdict = 'absent' end
put(x, 'asked', times + 1)
local next_after = verdict ~= 'unaskable' and ASK_AFTER[times + 2]
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
