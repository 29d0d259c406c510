--@ lib clock
--@ lib home
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
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
if not is_at_home() then return { 0, 0 } end
local REASON = 'the worker died after it had begun: it may have been sent'
-- Three workers dead over one message is no accident: it is set aside, and its neighbours go on.
local POISON_DEATHS = 3
local POISON = 'poison: its worker died three times while it was being sent'

-- What died together comes back apart: else the neighbours of a poisonous message would die of it three times as well.
local function back_in(id, deaths)
  if deaths < 2 then return delay end
  local chance = tonumber(string.sub(redis.sha1hex(id .. deaths), 1, 6), 16) / 0xffffff
  return delay + math.floor(delay * 11 * chance)
end
local due = redis.call('ZRANGEBYSCORE', cell .. 'sending', '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, most)
for _, id in ipairs(due) do
  local m, x = message(id), x_of(id)
  if m and x.f.state == 'sending' then
    leave_sending(m)
    put(x, 'reaped', 1)
    add(x, 'tries', 1)
    note_attempt(x, cjson.encode({ outcome = 'uncertain', provider = '', error = REASON }))
    add(x, 'deaths', 1)
    if x.f.deaths >= POISON_DEATHS and not x.f.heard then
      hold(m, -1)
      charge(m, now)
      usage(m, now, 'failed')
      end_message(m, 'failed', now, POISON)
    else
      settle_uncertain(m, now, x.f.tries < (most_tries[m.channel] or 1), back_in(id, x.f.deaths), REASON)
    end
  else
    redis.call('ZREM', cell .. 'sending', id)
  end
end
flush()
return { #due, #due == most and 1 or 0 }
