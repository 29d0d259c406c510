--@ lib clock
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--@ lib audit
--[[ set-pause: pauses or resumes one account on one channel. A paused one is parked when its turn comes, and what has been
     released of it is given back at its begin.
     KEYS 1 cell
     ARGV 1 account, 2 channel, 3 paused (0|1), then notes for the audit, which are written if this changes anything
     Reply 1 ]]
local account, channel, paused = ARGV[1], ARGV[2], ARGV[3] == '1'
local notes = read_notes(4)
local now = keep_clock()
local ac = ac_of(account, channel)
local was_paused = ac.f.paused == 1
put(ac, 'paused', paused and 1 or nil)
if not paused then unpark_account(account, channel) end
flush()
if was_paused ~= paused then write_notes(notes, now) end
return 1
