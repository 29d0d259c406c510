--[[ Whether requests may go on, each by all windows of all rules that apply to it, all or nothing: a request that is refused
     is charged to none of them. Those of one call are decided one after the other, as if each had come alone; those of one
     caller come as a group, which is read, kept and told as one. Limits come with the call and are never kept.

     The words of a group: 'take', or 'look', which charges and writes nothing, how many requests, and how many buckets;
          then for each bucket: its name, 1 if it is a shadow (counts, never refuses), how many windows it has,
          and for each window: kind ('rolling', 'fixed', 'clock'), length (ms), limit (0: none, but counted all the same)
     What is said of one: {now, reset in (ms) of each window, then for each run of requests of which the same is to be told: how
            many, retry in (ms; 0: admitted), then for each window: used, as of the first of them, and 1 has no room + 2 came to
            80 % + 4 came to 100 % of the limit, each told once in a window's length, + 8 each of them uses one more}

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

-- Buckets are numbered as they come: each is read once, and written once. Of bucket b, the windows are first[b] to
-- first[b + 1] - 1; states[b] is the string as it was read.
local number_of, names, states, changed, first, buckets, windows = {}, {}, {}, {}, { 1 }, 0, 0
-- Of window w; made with room for two. The log of a rolling one: of the string, the bytes from `from` to `to`, and then one
-- entry, at last_at, for `entered` requests, where that is not 0.
local kinds, lengths, used, resets, since = { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }
local from, to, told, told_at, last_at, entered = { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }
-- Of the group that is being decided: its buckets, and what it says of them.
local asked, shadows, limits = {}, {}, { 0, 0 }
-- Of the request that is being decided.
local room, flags = {}, { 0, 0 }

local function read_rolling(w, state, at)
  kinds[w], last_at[w], entered[w] = 'rolling', 0, 0
  if not state then
    used[w], resets[w], since[w], told[w], told_at[w], from[w], to[w] = 0, 0, 0, 0, 0, 1, 1
    return at
  end
  local entries, total, began, level, level_at = unpack_bytes('>HI4I6BI6', state, at)
  local head, tail, gone = at + HEAD, at + HEAD + entries * ENTRY, now - lengths[w]
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

local function read_plain(w, state, at, kind)
  local length = lengths[w]
  local start, count, level = 0, 0, 0
  if state then start, count, level = unpack_bytes('>I6I4B', state, at) end
  -- A window that was seen in a later time than now goes on: it is not given a second time.
  if now >= start + length then
    start, count, level = kind == 'clock' and now - now % length or 0, 0, 0
  end
  kinds[w], used[w], since[w], told[w] = kind, count, start, level
  resets[w] = start == 0 and 0 or start + length - now
  return at + PLAIN
end

-- Reads a bucket's windows from its string: what is used of each, and when something is given back.
local function read_bucket(name, count, arg)
  local state, at = call('GET', name), 1
  buckets = buckets + 1
  for w = windows + 1, windows + count do
    lengths[w] = tonumber(argv[arg + 1])
    if argv[arg] == 'rolling' then
      at = read_rolling(w, state, at)
    else
      at = read_plain(w, state, at, argv[arg])
    end
    arg = arg + 3
  end
  windows = windows + count
  number_of[name], names[buckets], states[buckets], first[buckets + 1] = buckets, name, state, windows + 1
  return buckets
end

-- How many buckets the group has, and where the next one begins.
local function read_group(arg)
  local count = tonumber(argv[arg])
  arg = arg + 1
  for i = 1, count do
    local name, count_windows = cell .. 'lim:' .. argv[arg], tonumber(argv[arg + 2])
    local b = number_of[name] or read_bucket(name, count_windows, arg + 3)
    asked[i], shadows[b] = b, argv[arg + 1] == '1'
    arg = arg + 3
    for w = first[b], first[b + 1] - 1 do
      limits[w] = tonumber(argv[arg + 2])
      arg = arg + 3
    end
  end
  return count, arg
end

-- How long until so many requests have left.
local function leave_in(w, state, many)
  for at = from[w], to[w] - 1, ENTRY do
    local instant, here = unpack_bytes('>I6I4', state, at)
    many = many - here
    if many <= 0 then return instant + lengths[w] - now end
  end
  return last_at[w] + lengths[w] - now
end

-- How long the request has to wait; 0: it is admitted.
local function judge(count)
  local retry = 0
  for i = 1, count do
    local b = asked[i]
    room[b] = true
    for w = first[b], first[b + 1] - 1 do
      local limit = limits[w]
      flags[w] = 0
      if limit > 0 and used[w] >= limit then
        room[b], flags[w] = false, 1
        if not shadows[b] then
          retry = max(retry, kinds[w] == 'rolling' and leave_in(w, states[b], used[w] + 1 - limit) or resets[w])
        end
      end
    end
  end
  return retry
end

-- Those of one instant are one entry, and so are, once there are GRAINS, those of a GRAINS-th of the window.
local function enter(w, state)
  if entered[w] == 0 then
    local kept = to[w] - from[w]
    if kept > 0 and (now <= since[w] or (kept >= GRAINS * ENTRY and now - since[w] < lengths[w] / GRAINS)) then
      local tail = to[w] - ENTRY
      local instant, many = unpack_bytes('>I6I4', state, tail)
      last_at[w], entered[w], to[w] = max(now, instant), many, tail
    else
      last_at[w], since[w] = now, now
    end
  end
  entered[w] = entered[w] + 1
end

local function charge(w, state)
  used[w] = used[w] + 1
  if kinds[w] == 'rolling' then
    enter(w, state)
  elseif since[w] == 0 then
    since[w] = now
  end
  if resets[w] == 0 then resets[w] = lengths[w] end
end

local function charge_all(count, admitted)
  for i = 1, count do
    local b = asked[i]
    local is_charged = admitted and room[b]
    changed[b] = changed[b] or is_charged
    for w = first[b], first[b + 1] - 1 do
      if is_charged then
        charge(w, states[b])
        flags[w] = flags[w] + 8
      end
      local limit, used_up = limits[w], used[w]
      -- Of a limit of one, and of one that was lowered, only the 100 % is told.
      local level = limit == 0 and 0 or used_up >= limit and 2 or used_up * 5 >= limit * 4 and 1 or 0
      if level > told[w] and (is_charged or flags[w] == 1) then
        told[w], told_at[w], changed[b] = level, now, true
        flags[w] = flags[w] + level * 2
      end
    end
  end
end

-- Whether the run that begins there goes on with this request.
local function goes_on(said, run, retry, count)
  if said[run + 1] ~= retry then return false end
  local at = run + 3
  for i = 1, count do
    for w = first[asked[i]], first[asked[i] + 1] - 1 do
      if said[at] ~= flags[w] then return false end
      at = at + 2
    end
  end
  return true
end

local function decide(is_look, requests, count)
  local said, n, run = { now }, 1, nil
  for i = 1, count do n = n + first[asked[i] + 1] - first[asked[i]] end
  for _ = 1, requests do
    local retry = judge(count)
    if not is_look then charge_all(count, retry == 0) end
    if run and goes_on(said, run, retry, count) then
      said[run] = said[run] + 1
    else
      run = n + 1
      said[run], said[run + 1] = 1, retry
      n = run + 1
      for i = 1, count do
        for w = first[asked[i]], first[asked[i] + 1] - 1 do
          said[n + 1], said[n + 2] = used[w], flags[w]
          n = n + 2
        end
      end
    end
  end
  -- When something is given back does not depend on how many have come at one instant.
  n = 1
  for i = 1, count do
    for w = first[asked[i]], first[asked[i] + 1] - 1 do
      n = n + 1
      said[n] = resets[w]
    end
  end
  return said
end

-- Joined once, for each string on the way would be a copy and garbage.
local function bytes_of(b)
  local state, pieces, n = states[b], {}, 0
  for w = first[b], first[b + 1] - 1 do
    if kinds[w] == 'rolling' then
      local kept = to[w] - from[w]
      n = n + 1
      pieces[n] = pack_bytes('>HI4I6BI6', kept / ENTRY + (entered[w] > 0 and 1 or 0), used[w], since[w], told[w], told_at[w])
      if kept > 0 then
        n = n + 1
        pieces[n] = sub(state, from[w], to[w] - 1)
      end
      if entered[w] > 0 then
        n = n + 1
        pieces[n] = pack_bytes('>I6I4', last_at[w], entered[w])
      end
    else
      n = n + 1
      pieces[n] = pack_bytes('>I6I4B', since[w], used[w], told[w])
    end
  end
  return concat(pieces)
end

-- The group whose words begin there: what is said of it, nothing where it is not to be decided; and where the next begins.
local function admit_group(arg, is_asked)
  local is_look, requests, count = argv[arg] == 'look', tonumber(argv[arg + 1]), nil
  count, arg = read_group(arg + 2)
  return is_asked and decide(is_look, requests, count) or {}, arg
end

-- Writes what was charged: once, after the last group.
local function keep_charges()
  local slack
  for b = 1, buckets do
    if changed[b] then
      if not slack then
        local behind = is_later and 0 or now - call('TIME')[1] * 1000
        slack = SLACK + max(0, behind)
      end
      local longest = 0
      for w = first[b], first[b + 1] - 1 do longest = max(longest, lengths[w]) end
      call('SET', names[b], bytes_of(b), 'PX', longest + slack)
    end
  end
end
