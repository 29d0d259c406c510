--@ lib clock
--@ lib hashes
--@ lib messages
--@ lib quota
--@ lib lanes
--@ lib outcomes
--[[ reap: `sending` past its time (call budget, attempt timeout and margin) means that its worker died. It may have been
     sent: charged, and then as its channel and account say.
     KEYS 1 cell
     ARGV 1 at most so many, 2 delay before it goes again (ms), then for each channel: name, tries at most
     Reply {reaped, more (0|1)} ]]
local most, delay = tonumber(ARGV[1]), tonumber(ARGV[2])
local most_tries = {}
for at = 3, #ARGV, 2 do most_tries[ARGV[at]] = tonumber(ARGV[at + 1]) end
local now = keep_clock()
local REASON = 'the worker died after it had begun: it may have been sent'
local due = redis.call('ZRANGEBYSCORE', cell .. 'sending', '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, most)
for _, id in ipairs(due) do
  local m, x = message(id), x_of(id)
  if m and x.f.state == 'sending' then
    leave_sending(m)
    put(x, 'reaped', 1)
    add(x, 'tries', 1)
    note_attempt(x, cjson.encode({ outcome = 'uncertain', provider = '', error = REASON }))
    settle_uncertain(m, now, x.f.tries < (most_tries[m.channel] or 1), delay, REASON)
  else
    redis.call('ZREM', cell .. 'sending', id)
  end
end
flush()
return { #due, #due == most and 1 or 0 }
