--@ lib clock
--@ lib hashes
--@ lib messages
--@ lib quota
--@ lib lanes
--@ lib leaving
--[[ cancel: messages that have not left never will.
     KEYS 1 cell
     ARGV 1 account, then ids (≤ 100)
     Reply for each: {'ok'|'already_sending'|'already_final'|'unknown', the state it was in} ]]
local account = ARGV[1]
local now = keep_clock()
local replies = {}
for i = 2, #ARGV do
  local m = message(ARGV[i])
  if m and m.account == account then
    replies[#replies + 1] = { leave(m, 'canceled', now) }
  else
    replies[#replies + 1] = { 'unknown', '' }
  end
end
flush()
return replies
