--@ lib clock
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--[[ set-sender-rate: the least time between two starts of one sender. The last slot given is kept, so that a faster rate
     counts from it at once.
     KEYS 1 cell
     ARGV 1 account, 2 channel, 3 sender, 4 interval (ms, may be fractional) or 'none'
     Reply 1 ]]
local account, channel, sender = ARGV[1], ARGV[2], ARGV[3]
keep_clock()
local q = sender_row(account .. '|' .. channel .. '|' .. sender)
put(q, 'interval', tonumber(ARGV[4]))
wake_sender(account, channel, sender)
flush()
return 1
