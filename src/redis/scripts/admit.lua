--@ lib clock
--[[ admit: whether HTTP requests (or what else is limited) may go on, each by all windows of all rules that apply to it, all or
     nothing: a request that is refused is charged to none of them. Those of one call are decided one after the other, as if
     each had come alone; a call costs by itself as much as one of them. Limits come with the call and are never kept.
     KEYS 1 cell
     ARGV for each request: 'take', or 'look', which charges and writes nothing, and how many buckets;
          then for each bucket: its name, 1 if it is a shadow (counts, never refuses), how many windows it has,
          and for each window: kind ('rolling', 'fixed', 'clock'), length (ms), limit (0: none, but counted all the same)
     Reply for each request {1 admitted | 0 refused, now, retry in (ms), then for each window: used, reset in (ms),
            1 has no room + 2 came to 80 % + 4 came to 100 % of the limit, each told once in a window's length}

     A bucket is one string, its windows one after the other:
       fixed, clock  start (6 bytes), used (4), told (1)
       rolling       entries (2), used (4), since (6), told (1), told at (6), then the entries: at (6), how many (4)
     An entry stands for requests admitted at or before its instant, so it leaves late or in time and never early. The first
     GRAINS are exact; then one entry takes in what comes within 1/GRAINS of the window after its first, which is `since` of
     the newest. So there are never more than 2 × GRAINS + 1, whatever the limit is. ]]
local unpack_bytes, pack_bytes, sub, max = struct.unpack, struct.pack, string.sub, math.max
local argv, call, tonumber, concat = ARGV, redis.call, tonumber, table.concat
local GRAINS, HEAD, ENTRY, PLAIN = 60, 19, 10, 11
-- What a key outlives its window by: Redis's clock measures it, and this cell's time may stand still behind that of another
-- server until it is caught up with.
local SLACK = 60000
local now, is_later = read_clock()
-- Of the request that is being decided.
local admitted, retry, buckets, windows

-- Of bucket b: names[b], states[b], room[b]; its windows are first[b] to first[b + 1] - 1.
local names, shadows, states, first, room = {}, {}, {}, {}, {}
-- Of window w; made with room for two.
local kinds, lengths, limits, used, resets, flags = { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }
local from, to, since, told, told_at = { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }
-- By name, what the requests before have left of a bucket, and those that are to be written, with how long they are kept.
local known, changed, outlives = {}, {}, {}

-- Reads a request's buckets from its arguments, and their states; answers where the next request begins.
local function read_request(arg)
  local all_known = true
  buckets, windows = tonumber(argv[arg + 1]), 0
  arg = arg + 2
  for b = 1, buckets do
    local name = cell .. 'lim:' .. argv[arg]
    all_known = all_known and known[name] ~= nil
    names[b], shadows[b], first[b] = name, argv[arg + 1] == '1', windows + 1
    local count = tonumber(argv[arg + 2])
    arg = arg + 3
    for w = windows + 1, windows + count do
      kinds[w], lengths[w], limits[w] = argv[arg], tonumber(argv[arg + 1]), tonumber(argv[arg + 2])
      arg = arg + 3
    end
    windows = windows + count
  end
  first[buckets + 1] = windows + 1
  local found = not all_known and call('MGET', unpack(names, 1, buckets))
  for b = 1, buckets do
    local state = known[names[b]]
    if state == nil then
      state = found[b]
      known[names[b]] = state
    end
    states[b] = state
  end
  return arg
end

-- Reads the window from its bytes: what is used of it, and when something is given back.
local function read_rolling(w, state, at)
  local length = lengths[w]
  if not state then
    used[w], resets[w], since[w], told[w], told_at[w], from[w], to[w] = 0, 0, 0, 0, 0, 1, 1
    return at
  end
  local entries, total, began, level, level_at = unpack_bytes('>HI4I6BI6', state, at)
  local head, tail, gone = at + HEAD, at + HEAD + entries * ENTRY, now - length
  local reset = 0
  -- Whoever comes back after a while has nothing left to count.
  if head < tail and unpack_bytes('>I6', state, tail - ENTRY) <= gone then head, total = tail, 0 end
  while head < tail do
    local instant, many = unpack_bytes('>I6I4', state, head)
    if instant > gone then
      reset = instant - gone
      break
    end
    head, total = head + ENTRY, total - many
  end
  if level_at <= gone then level = 0 end
  used[w], resets[w], since[w], told[w], told_at[w], from[w], to[w] = total, reset, began, level, level_at, head, tail
  return tail
end

local function read_plain(w, state, at)
  local length = lengths[w]
  local is_clock = kinds[w] == 'clock'
  local start, count, level = 0, 0, 0
  if state then start, count, level = unpack_bytes('>I6I4B', state, at) end
  -- A window that was seen in a later time than now goes on: it is not given a second time.
  if now >= start + length then
    start, count, level = is_clock and now - now % length or 0, 0, 0
  end
  used[w], since[w], told[w] = count, start, level
  resets[w] = start == 0 and 0 or start + length - now
  return at + PLAIN
end

-- How long until so many requests have left.
local function leave_in(w, state, many)
  local at = from[w]
  while true do
    local instant, here = unpack_bytes('>I6I4', state, at)
    many = many - here
    if many <= 0 then return instant + lengths[w] - now end
    at = at + ENTRY
  end
end

local function judge()
  admitted, retry = true, 0
  for b = 1, buckets do
    local state, at = states[b], 1
    room[b] = true
    for w = first[b], first[b + 1] - 1 do
      at = (kinds[w] == 'rolling' and read_rolling or read_plain)(w, state, at)
      local limit = limits[w]
      flags[w] = 0
      if limit > 0 and used[w] >= limit then
        room[b], flags[w] = false, 1
        if not shadows[b] then
          admitted = false
          retry = max(retry, kinds[w] == 'rolling' and leave_in(w, state, used[w] + 1 - limit) or resets[w])
        end
      end
    end
  end
end

-- Of the bucket that is being written: joined once, for each string on the way would be a copy and garbage.
local pieces, last_piece = {}, 0
local function write(bytes)
  last_piece = last_piece + 1
  pieces[last_piece] = bytes
end

local function write_rolling(w, state, charge)
  local head, tail, began = from[w], to[w], since[w]
  local last, kept = nil, tail - head
  if charge then
    if kept > 0 and (now <= began or (kept >= GRAINS * ENTRY and now - began < lengths[w] / GRAINS)) then
      local instant, many = unpack_bytes('>I6I4', state, tail - ENTRY)
      last, kept = pack_bytes('>I6I4', max(now, instant), many + 1), kept - ENTRY
    else
      last, began = pack_bytes('>I6I4', now, 1), now
    end
  end
  write(pack_bytes('>HI4I6BI6', kept / ENTRY + (last and 1 or 0), used[w], began, told[w], told_at[w]))
  if kept > 0 then write(sub(state, head, head + kept - 1)) end
  if last then write(last) end
end

local function charge_all()
  for b = 1, buckets do
    local charge = admitted and room[b]
    local is_changed, longest = charge, 0
    last_piece = 0
    for w = first[b], first[b + 1] - 1 do
      local limit, count = limits[w], used[w]
      if charge then
        count = count + 1
        used[w] = count
        if since[w] == 0 and kinds[w] == 'fixed' then since[w] = now end
        if resets[w] == 0 then resets[w] = lengths[w] end
      end
      -- Of a limit of one, and of one that was lowered, only the 100 % is told.
      local level = limit == 0 and 0 or count >= limit and 2 or count * 5 >= limit * 4 and 1 or 0
      if level > told[w] and (charge or flags[w] == 1) then
        told[w], told_at[w], is_changed = level, now, true
        flags[w] = flags[w] + level * 2
      end
      longest = max(longest, lengths[w])
    end
    if is_changed then
      for w = first[b], first[b + 1] - 1 do
        if kinds[w] == 'rolling' then
          write_rolling(w, states[b], charge)
        else
          write(pack_bytes('>I6I4B', since[w], used[w], told[w]))
        end
      end
      local slack = SLACK
      if not is_later then
        local time = call('TIME')
        slack = slack + max(0, now - time[1] * 1000)
      end
      local name = names[b]
      if not outlives[name] then changed[#changed + 1] = name end
      known[name], outlives[name] = concat(pieces, '', 1, last_piece), longest + slack
    end
  end
end

local function reply()
  local said = { admitted and 1 or 0, now, retry }
  for w = 1, windows do
    local at = w * 3 + 1
    said[at], said[at + 1], said[at + 2] = used[w], resets[w], flags[w]
  end
  return said
end

local replies, arg = {}, 1
while argv[arg] do
  local is_look = argv[arg] == 'look'
  arg = read_request(arg)
  judge()
  if not is_look then charge_all() end
  replies[#replies + 1] = reply()
end
for _, name in ipairs(changed) do call('SET', name, known[name], 'PX', outlives[name]) end
return replies
