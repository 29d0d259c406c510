--@ lib clock
--@ lib rows
--[[ snapshot: rows and hashes as they stand together at one instant. Reads only.
     KEYS 1 cell
     ARGV their keys
     Reply {now, fields and values of each in order} ]]
local now = read_clock()
local replies = { string.format('%.0f', now) }
for i = 1, #ARGV do replies[i + 1] = flat(row(string.sub(ARGV[i], #cell + 1))) end
return replies
