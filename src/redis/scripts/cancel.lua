--@ lib clock
--@ lib making-room
--@ lib home
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--@ lib leaving
--[[ cancel: messages that have not left never will.
     KEYS 1 cell
     ARGV 1 account, then ids (≤ 100)
     Reply for each: {'ok'|'already_sending'|'already_final'|'unknown', the state it was in} ]]
local account = ARGV[1]
local now = keep_clock()
local replies = {}
local at_home = is_at_home()
for i = 2, #ARGV do
  local m = message(ARGV[i])
  if m and m.account == account then
    -- After a failover it may be on its way, for all this server knows.
    local state = state_of(ARGV[i])
    local is_doubtful = not at_home and not ENDED[state]
    replies[#replies + 1] = is_doubtful and { 'already_sending', state } or { leave(m, 'canceled', now) }
  else
    replies[#replies + 1] = { 'unknown', '' }
  end
end
flush()
return replies
