--@ lib clock
--@ lib limits
--[[ admit: whether HTTP requests (or what else is limited) may go on.
     KEYS 1 cell        ARGV the words of each group (lib/limits.lua)        Reply what is said of each ]]
local replies, arg = {}, 1
while argv[arg] do replies[#replies + 1], arg = admit_group(arg, true) end
keep_charges()
return replies
