--@ lib clock
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--[[ standing: the states of many messages, without saying why or until when. Reads only.
     KEYS 1 cell
     ARGV 1 account, then ids
     Reply for each: its status as readers are told it; '' when the account has no such message ]]
local account = ARGV[1]
local now = read_clock()
local replies = {}
for i = 2, #ARGV do
  local m = message(ARGV[i])
  local state = m and m.account == account and state_of(m.id) or ''
  if state == 'asking' then state = 'uncertain' end
  if state == 'released' then state = 'queued' end
  if state == 'queued' and x_of(m.id).f.state ~= 'released' then
    local ac, ln = ac_of(m.account, m.channel), ln_of(m.account, m.channel, m.class, m.sender)
    local by = ac.f.held_by or ln.f.held_by
    local rate = rate_of(m.channel).f
    local stopped = ac.f.paused == 1 or rate.paused == 1 or (rate.closed or 0) > now
    if by and string.find(by, '.', 1, true) and not stopped then state = 'throttled' end
  end
  replies[i - 1] = state
end
return replies
