-- Rows read once and written once per call: a release that takes a hundred messages of one account touches its rows a
-- hundred times, and Redis twice. A row is fields by name, packed into one string (MessagePack): to read one of sixteen
-- fields costs Redis a third of what the same hash does, and many are written by one command. Nothing is written before
-- `flush`, which every script that changes a row calls last; a script is atomic, so nobody sees the difference.
local rows, row_order = {}, {}

-- A hash is how rows were kept before; such a one is read as it is, and replaced when it changes. Of its values nothing but
-- the token, a random word that may happen to look like a number ("0012e3"), was ever a text that looks like one.
local function row_of_before(name)
  local flat, f = redis.call('HGETALL', name), {}
  for i = 1, #flat, 2 do f[flat[i]] = flat[i] ~= 'token' and tonumber(flat[i + 1]) or flat[i + 1] end
  return f
end

local function row(key)
  local known = rows[key]
  if known then return known end
  local name = cell .. key
  local packed, f = redis.pcall('GET', name), nil
  if not packed then
    f = {}
  elseif type(packed) == 'string' then
    f = cmsgpack.unpack(packed)
  else
    f = row_of_before(name)
  end
  known = { name = name, f = f, is_changed = false }
  rows[key] = known
  row_order[#row_order + 1] = known
  return known
end

local function put(row, field, value)
  if row.f[field] ~= value then
    row.f[field] = value
    row.is_changed = true
  end
end

-- Its fields, which are going to be changed: for many at once, and what changes in any case.
local function touch(row)
  row.is_changed = true
  return row.f
end

local function add(row, field, by)
  local value = (row.f[field] or 0) + by
  put(row, field, value ~= 0 and value or nil)
end

-- The row goes; what is put into it afterwards makes it anew.
local function wipe(row)
  row.f, row.is_changed = {}, true
end

-- As HGETALL gives a hash, for readers outside.
local function flat(row)
  local said, n = {}, 0
  for field, value in pairs(row.f) do
    if type(value) == 'number' then value = string.format(value % 1 == 0 and '%.0f' or '%.17g', value) end
    said[n + 1], said[n + 2] = field, value
    n = n + 2
  end
  return said
end

-- An instant as it is written, made once for each call: it is written for every message, and Redis makes 17 digits of each
-- number that it is handed.
local instants = {}

local function text_of(instant)
  local text = instants[instant] or string.format('%.0f', instant)
  instants[instant] = text
  return text
end

-- What is only counted, moved between sorted sets or appended, and read by nobody before the script ends: written once per
-- call as well, each sort in one command for each key.
local count, move, append, append_all, write_later
do -- (one chunk of Lua has room for 200 names)
  local counts, moves, tails, later_order = {}, {}, {}, {}

  local function of_key(all, key, kind)
    local one = all[key]
    if not one then
      one = { key = key, kind = kind }
      all[key] = one
      later_order[#later_order + 1] = one
    end
    return one
  end

  function count(key, field, by)
    local one = of_key(counts, key, 'count')
    one.by = one.by or {}
    one.by[field] = (one.by[field] or 0) + by
  end

  -- At a score, or out (nil). The last word holds.
  function move(key, member, score)
    local one = of_key(moves, key, 'move')
    one.to = one.to or {}
    one.to[member] = score or false
  end

  function append(key, value)
    local one = of_key(tails, key, 'append')
    one[#one + 1] = value
  end

  function append_all(key, values)
    local one = of_key(tails, key, 'append')
    for i = 1, #values do one[#one + 1] = values[i] end
  end

  local function write_counts(one)
    for field, by in pairs(one.by) do
      if by ~= 0 then redis.call('HINCRBY', cell .. one.key, field, by) end
    end
  end

  local function write_moves(one)
    local in_, out = {}, {}
    for member, score in pairs(one.to) do
      if score then
        in_[#in_ + 1] = score
        in_[#in_ + 1] = member
      else
        out[#out + 1] = member
      end
    end
    if #in_ > 0 then redis.call('ZADD', cell .. one.key, unpack(in_)) end
    if #out > 0 then redis.call('ZREM', cell .. one.key, unpack(out)) end
  end

  function write_later()
    for _, one in ipairs(later_order) do
      if one.kind == 'count' then
        write_counts(one)
      elseif one.kind == 'move' then
        write_moves(one)
      else
        redis.call('RPUSH', cell .. one.key, unpack(one))
      end
    end
    counts, moves, tails, later_order = {}, {}, {}, {}
  end
end

-- Arguments that Lua hands to one command at most; it can no more than some thousands.
local MOST_ARGUMENTS = 1000

local function write_rows()
  local set, n, after = {}, 0, {}
  for i = 1, #row_order do
    local row = row_order[i]
    if row.is_changed then
      row.is_changed = false
      if row.after_write then after[#after + 1] = row end
      if next(row.f) == nil then
        redis.call('DEL', row.name)
      else
        set[n + 1], set[n + 2] = row.name, cmsgpack.pack(row.f)
        n = n + 2
        if n == MOST_ARGUMENTS then
          redis.call('MSET', unpack(set))
          set, n = {}, 0
        end
      end
    end
  end
  if n > 0 then redis.call('MSET', unpack(set)) end
  for _, row in ipairs(after) do row.after_write(row) end
end
