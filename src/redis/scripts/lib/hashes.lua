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

local function write_hash(row)
  if row.wiped then redis.call('DEL', cell .. row.key) end
  local set, unset = {}, {}
  for field in pairs(row.changed) do
    local value = row.f[field]
    if value == nil then
      unset[#unset + 1] = field
    else
      set[#set + 1] = field
      set[#set + 1] = value
    end
  end
  if #set > 0 then redis.call('HSET', cell .. row.key, unpack(set)) end
  if #unset > 0 and not row.wiped then redis.call('HDEL', cell .. row.key, unpack(unset)) end
  row.changed, row.wiped = {}, false
  return #set > 0
end
