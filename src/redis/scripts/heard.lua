--@ lib clock
--@ lib making-room
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--@ lib outcomes
--@ lib leaving
--[[ heard: the provider tells by itself what became of a message (a status callback). Telling it again, or out of order,
     changes nothing: delivered and undelivered are the last word.
     KEYS 1 cell
     ARGV 1 id, 2 verdict (sent|delivered|undelivered), 3 provider's id, 4 reason ('' for none)
     Reply 'changed' | 'noted' (it is being sent: its settle will know) | 'known' | 'unknown' (no such message, or another's id) ]]
local id, verdict, provider_id, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local NOT_SENT = { failed = true, expired = true, canceled = true, suppressed = true }
local now = keep_clock()
local m, x = message(id), x_of(id)
if not m then return 'unknown' end
local state = x.f.state
local is_another = x.f.provider_id and x.f.provider_id ~= provider_id
-- Found in the provider's list, by its words: the provider itself knows better.
local was_mistaken = is_another and x.f.guessed == 1
if is_another and not was_mistaken and state ~= 'asking' then return 'unknown' end

local function tell()
  if was_mistaken then
    leave_text(m, x.f.provider_id)
    put(x, 'guessed', nil)
  end
  own_text(m, provider_id, now)
  put(x, 'provider_id', provider_id)
end

if state == 'sending' then
  if x.f.heard and (x.f.heard ~= 'sent' or verdict == 'sent') then return 'known' end
  put(x, 'heard', verdict)
  put(x, 'heard_why', reason ~= '' and reason or nil)
  tell()
  flush()
  return 'noted'
end
-- To be sent once more, because nobody knew, and then it was not: what its provider tells of the try before is the truth.
local ended_in_doubt = x.f.doubt and NOT_SENT[state]
local waits = state == 'scheduled' or state == 'queued' or state == 'released'
if state == 'asking' then
  end_asking(m, verdict, now)
elseif x.f.doubt and waits then
  -- It was to go once more, because nobody knew: now somebody does.
  usage(m, now, 'sent')
  leave(m, verdict, now)
elseif state == 'uncertain' or was_mistaken or ended_in_doubt or (state == 'sent' and verdict ~= 'sent') then
  change_end(m, verdict, now)
else
  return 'known'
end
tell()
if reason ~= '' then put(x, 'reason', reason) end
flush()
return 'changed'
