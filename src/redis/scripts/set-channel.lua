--@ lib clock
--@ lib rows
--@ lib audit
--[[ set-channel: a channel's rate, its pause, its closing. Names what changes; absolute values.
     KEYS 1 cell
     ARGV 1 channel, then notes for the audit, which are written if the pause is another, then pairs: interval (ms or 'none') | paused (0|1) | close (length in ms, 0 opens)
     Reply 1 ]]
local now = keep_clock()
local rate = row('rate:' .. ARGV[1])
local notes, rest = read_notes(2)
local was_paused, is_paused = rate.f.paused == 1, nil
for at = rest, #ARGV, 2 do
  local what, value = ARGV[at], tonumber(ARGV[at + 1])
  if what == 'interval' then put(rate, 'interval', value) end
  if what == 'paused' then
    is_paused = value == 1
    put(rate, 'paused', is_paused and 1 or nil)
  end
  if what == 'close' then put(rate, 'closed', value > 0 and now + value or nil) end
end
write_rows()
if is_paused ~= nil and is_paused ~= was_paused then write_notes(notes, now) end
return 1
