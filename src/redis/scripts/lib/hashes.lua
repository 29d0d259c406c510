-- Hashes read once and written once per call: a release that takes a hundred messages of one account touches its rows
-- a hundred times, and Redis twice. Numbers come back as numbers. Nothing is written before `flush`, which every
-- script that changes a hash calls last; a script is atomic, so nobody sees the difference.
local hashes, hash_order = {}, {}
-- Random words that may happen to look like numbers ("0012e3"), and are compared.
local IS_TEXT = { token = true }

local function hash(key)
  local row = hashes[key]
  if row then return row end
  row = { key = key, f = {}, changed = {} }
  local flat = redis.call('HGETALL', cell .. key)
  for i = 1, #flat, 2 do
    local field, value = flat[i], flat[i + 1]
    row.f[field] = not IS_TEXT[field] and tonumber(value) or value
  end
  hashes[key] = row
  hash_order[#hash_order + 1] = row
  return row
end

-- The same of a hash that holds nothing but numbers, which is read for nearly every message: adding 0 is how Lua makes a
-- number of a text without a call.
local function numbers(key)
  local row = hashes[key]
  if row then return row end
  local flat = redis.call('HGETALL', cell .. key)
  local f = {}
  for i = 1, #flat, 2 do f[flat[i]] = flat[i + 1] + 0 end
  row = { key = key, f = f, changed = {}, is_new = #flat == 0 }
  hashes[key] = row
  hash_order[#hash_order + 1] = row
  return row
end

local function put(row, field, value)
  if row.f[field] ~= value then
    row.f[field] = value
    row.changed[field] = true
  end
end

local function add(row, field, by)
  local value = (row.f[field] or 0) + by
  put(row, field, value ~= 0 and value or nil)
end

-- The hash goes; what is put into it afterwards makes it anew.
local function wipe(row)
  row.f, row.changed, row.wiped = {}, {}, true
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

local function count(key, field, by)
  local one = of_key(counts, key, 'count')
  one.by = one.by or {}
  one.by[field] = (one.by[field] or 0) + by
end

-- At a score, or out (nil). The last word holds.
local function move(key, member, score)
  local one = of_key(moves, key, 'move')
  one.to = one.to or {}
  one.to[member] = score or false
end

local function append(key, value)
  local one = of_key(tails, key, 'append')
  one[#one + 1] = value
end

local function write_counts(one)
  for field, by in pairs(one.by) do
    if by ~= 0 then
      local value = redis.call('HINCRBY', cell .. one.key, field, by)
      -- 40 days: as far back as a report may ask
      if value == by and string.sub(one.key, 1, 4) == 'use:' then redis.call('EXPIRE', cell .. one.key, 3456000) end
    end
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

local function write_later()
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

local function write_hash(row)
  local changed, f = row.changed, row.f
  if next(changed) == nil and not row.wiped then return false end
  if row.wiped then redis.call('DEL', cell .. row.key) end
  local set, count_set, unset = {}, 0, nil
  for field in pairs(changed) do
    local value = f[field]
    if value == nil then
      unset = unset or {}
      unset[#unset + 1] = field
    else
      set[count_set + 1], set[count_set + 2] = field, value
      count_set = count_set + 2
    end
  end
  if count_set > 0 then redis.call('HSET', cell .. row.key, unpack(set)) end
  if unset and not row.wiped then redis.call('HDEL', cell .. row.key, unpack(unset)) end
  row.changed, row.wiped = {}, false
  return count_set > 0
end
