--@ lib clock
--@ lib hashes
--[[ set-channel: a channel's rate, its pause, its closing. Names what changes; absolute values.
     KEYS 1 cell
     ARGV 1 channel, then pairs: interval (ms or 'none') | paused (0|1) | close (length in ms, 0 opens)
     Reply 1 ]]
local now = keep_clock()
local rate = hash('rate:' .. ARGV[1])
for at = 2, #ARGV, 2 do
  local what, value = ARGV[at], tonumber(ARGV[at + 1])
  if what == 'interval' then put(rate, 'interval', value) end
  if what == 'paused' then put(rate, 'paused', value == 1 and 1 or nil) end
  if what == 'close' then put(rate, 'closed', value > 0 and now + value or nil) end
end
write_hash(rate)
return 1
