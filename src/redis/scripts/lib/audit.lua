-- Lines of the audit, written by the script that makes the change: neither is there without the other, whoever dies when.
-- A note is three arguments: its id, the account ('' for none), and what the line says, as JSON. Ids were made before the
-- call, so that a script that is run again, because its reply was lost, finds its own line and adds no second one.
-- After clock.lua.

-- By Redis's own clock: a year, and a day for leap years.
local AUDIT_DAYS = 366

-- The notes among the arguments: how many at `at`, then they. Answers them and where the next argument is.
local function read_notes(at)
  local notes, count = {}, tonumber(ARGV[at])
  for n = 0, count - 1 do
    local from = at + 1 + 3 * n
    notes[n + 1] = { id = ARGV[from], account = ARGV[from + 1], line = ARGV[from + 2] }
  end
  return notes, at + 1 + 3 * count
end

-- Whether this call has been made before. Without notes nobody can say, and nobody needs to.
local function were_noted(notes)
  return notes[1] ~= nil and redis.call('EXISTS', cell .. 'evt:' .. notes[1].id) == 1
end

-- Lists are in the order in which changes were made, whatever clocks say: a line's place is one after the last.
local function list_line(list, id)
  local last = redis.call('ZRANGE', list, -1, -1, 'WITHSCORES')
  redis.call('ZADD', list, tonumber(last[2] or '0') + 1, id)
  -- What has outlived its year leaves the list too, some at each addition.
  for _, oldest in ipairs(redis.call('ZRANGE', list, 0, 3)) do
    if redis.call('EXISTS', cell .. 'evt:' .. oldest) == 0 then redis.call('ZREM', list, oldest) end
  end
  redis.call('EXPIRE', list, AUDIT_DAYS * 86400)
end

local function write_notes(notes, now)
  for _, note in ipairs(notes) do
    local line = cell .. 'evt:' .. note.id
    if redis.call('EXISTS', line) == 0 then
      redis.call('SET', line, string.format('%.0f', now) .. ' ' .. note.line, 'EX', AUDIT_DAYS * 86400)
      list_line(cell .. 'audit', note.id)
      if note.account ~= '' then list_line(cell .. 'audit:' .. note.account, note.id) end
    end
  end
end
