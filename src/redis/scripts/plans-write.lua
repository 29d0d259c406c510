--@ lib clock
--@ lib audit
--[[ plans-write: plans as they are set over the API, all of them or none: if they still are as the caller saw them (the audit
     says what they were before, and that must be so), and if none that goes is an account's.
     KEYS 1 cell
     ARGV notes for the audit (how many, then each), then for each plan: name, JSON that was seen ('' for none), JSON ('null'
     removes it, also where the file has one)
     Reply 'done' (also when this is said again) | 'changed' somebody was first: look again
     | {'in_use', name, how many accounts have it} ]]
local notes, rest = read_notes(1)
local set = cell .. 'plans:set'
if were_noted(notes) then return 'done' end
for at = rest, #ARGV, 3 do
  local name, seen, json = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if (redis.call('HGET', set, name) or '') ~= seen then return 'changed' end
  local accounts = redis.call('SCARD', cell .. 'plan:' .. name)
  if json == 'null' and accounts > 0 then return { 'in_use', name, accounts } end
end
for at = rest, #ARGV, 3 do redis.call('HSET', set, ARGV[at], ARGV[at + 2]) end
write_notes(notes, keep_clock())
return 'done'
