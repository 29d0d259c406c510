--@ lib clock
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--[[ set-limits: limits of one scope, absolute values. What has been released is checked again at its begin; what was held
     up is looked at again.
     KEYS 1 cell
     ARGV 1 level (sender|channel|account), 2 account, 3 channel, 4 sender, then pairs: window kind, limit or 'none'
     Reply 1 ]]
local level, account, channel, sender = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
keep_clock()
local q = level == 'sender' and sender_row(account .. '|' .. channel .. '|' .. sender)
  or row(level == 'channel' and 'q:C|' .. account .. '|' .. channel or 'q:A|' .. account)
for at = 5, #ARGV, 2 do
  local limit = ARGV[at + 1] ~= 'none' and tonumber(ARGV[at + 1]) or nil
  put(q, FIELD[ARGV[at]].limit, limit)
end
if level == 'sender' then wake_sender(account, channel, sender) else wake_account(account) end
flush()
return 1
