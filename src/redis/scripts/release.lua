--@ lib clock
--@ lib home
--@ lib rows
--@ lib messages
--@ lib quota
--@ lib ends
--@ lib lanes
--@ lib flush
--@ lib due
--@ lib turns
--@ lib workers
--@ lib ahead
--[[ release: which waiting messages of a channel may go now. Parks as it walks (a refusal leaves that trace).
     KEYS 1 cell
     ARGV 1 channel, 2 most messages in one job (a parcel), 3 lanes and 4 messages and 5 pops and 6 promotions and 7 µs of work at most
     Reply {jobs, more (0|1), ms to the next instant that matters (-1: none), stale zones, channels that were woken,
            messages released, lanes looked at}; a job is {job id, {id, release}…}.
     A lost reply is the sweeper's business: what was released and never became a job is released anew. ]]
local channel, most = ARGV[1], tonumber(ARGV[2])
local MOST_LANES, MOST_MESSAGES = tonumber(ARGV[3]), tonumber(ARGV[4])
local MOST_POPS, MOST_PROMOTIONS, MOST_WORK = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
-- µs that each is reckoned to take; of an account and a lane the first look, for rows are read and written once
local WORK = { promoted = 25, unparked = 15, account = 30, lane = 20, message = 12 }
local H_PER_A = 3           -- H is served at most this often for each service of A
local SPARE = 6             -- messages released and not begun, for each hand, where they come in parcels: a slow message must not leave hands idle
local SHARES = 4            -- parcels that there must be for each process: none takes all there is
local ROOM = 4              -- parcels that a call is worth

local now, woken, work = keep_clock(), {}, 0

-- What waits here may have gone already, for all this server knows.
if not is_at_home() then return { {}, 0, -1, {}, {}, 0, 0 } end

-- (1) What is due.
local promoted, unparked = promote(now, MOST_PROMOTIONS, woken), unpark(now, MOST_PROMOTIONS, woken)
write_later() -- what was promoted may be popped in this very call
work = work + promoted * WORK.promoted + unparked * WORK.unparked
local more = promoted == MOST_PROMOTIONS or unparked == MOST_PROMOTIONS

-- (2) closed or paused: nothing goes. (3) Just in time: few holds, and young ones.
local rate, stat = rate_of(channel), stat_of(channel)
local is_stopped = rate.f.paused == 1 or (rate.f.closed or 0) > now
local hands, processes = live_workers(channel, now)
local ahead = rate.f.interval and math.max(1, math.floor(RELEASE_AHEAD / rate.f.interval)) or math.huge
-- (3a) Fewer jobs are what makes many messages fast. A process has its hands for all its parcels: they are as large as leaves
-- some for each process, of what may go and of what the rate lets go; less than would fill one go each by itself.
local waiting = math.min((stat.f.queued or 0) - (stat.f.throttled or 0), ahead / TWICE)
local size = waiting < most and 1 or math.max(1, math.min(most, math.floor(waiting / (SHARES * math.max(1, processes)))))
local target = math.min((size > 1 and SPARE or TWICE) * hands, ahead)
local out = redis.call('ZCARD', cell .. 'released:' .. channel)
local left = is_stopped and 0 or target - out
-- Room for few parcels can wait for more, as long as the hands have something to do.
if size > 1 and left < math.min(ROOM * size, target / 2) and out >= TWICE * hands then left = 0 end

local jobs, stale, stale_list, filling = {}, {}, {}, nil
local looked, pops, released, skipped = 0, 0, 0, 0
-- A ring all of whose accounts were passed over for their zones counts as empty for this call. Each is counted once: while
-- another one's turn is skipped for its debt, the same account comes round again.
local passed, is_passed = { h = 0, a = 0 }, { h = {}, a = {} }

local function is_open(ring)
  if not head_of(channel, ring) then return false end
  return passed[ring] == 0 or redis.call('ZCARD', cell .. 'ring:' .. channel .. ':' .. ring) > passed[ring]
end

-- Parcels are filled one after the other, for hands are counted apart from jobs. What is urgent goes alone: nobody's
-- slowness is its own.
local function job_for(class)
  if not filling or #filling > size or class == 'high' then
    local seq = redis.call('INCR', cell .. 'seq')
    local job = { 'j' .. string.format('%.0f', seq) }
    jobs[#jobs + 1] = job
    if class == 'high' then return job end
    filling = job
  end
  return filling
end

-- Why the account may not be served now: leaves it where it belongs and answers true.
local function account_must_wait(account, ring, ac, weight, worth)
  local known = account_of(account)
  if ac.f.paused == 1 or known.removed then
    park_account(account, channel, PARKED_FOR_GOOD)
    return true
  end
  if not zone_is_known(known.zone, now) then
    if not stale[known.zone] then
      stale[known.zone] = true
      stale_list[#stale_list + 1] = known.zone
    end
    put(ac, 'credit_' .. ring, nil)
    to_tail(account, channel, ring)
    if not is_passed[ring][account] then
      is_passed[ring][account] = true
      passed[ring] = passed[ring] + 1
    end
    skipped = skipped + 1
    return true
  end
  if ring == 'h' and (ac.f.debt or 0) >= DEBT_CAP * weight then
    leave_ring(account, channel, 'h')
    return true
  end
  -- A turn in A first repays what was served through H; worth nothing, it is skipped.
  if ring == 'a' and (ac.f.debt or 0) > 0 and not ac.f.credit_a then
    local repaid = math.min(ac.f.debt, worth)
    add(ac, 'debt', -repaid)
    put(ac, 'credit_a', worth > repaid and worth - repaid or nil)
    enter_rings(account, channel)
    if not ac.f.credit_a then
      put(ac, 'fresh', nil)
      to_tail(account, channel, 'a')
      return true
    end
  end
  local zone = known.zone
  if not ac.on_channel then
    ac.on_channel, ac.on_all = row('q:C|' .. account .. '|' .. channel), row('q:A|' .. account)
  end
  local till, kind = blocked_until(ac.on_channel, 1, zone, now)
  local by = kind and channel .. '.' .. kind
  if till == 0 then
    till, kind = blocked_until(ac.on_all, 1, zone, now)
    by = kind and 'all.' .. kind
  end
  if till > 0 then
    park_account(account, channel, PARKED_BY_QUOTA, till, by)
    return true
  end
  return false
end

-- The lane whose turn it is in the account's most urgent class. Alone in its inner ring it stays at the head.
local function lane_at_head(account, ac)
  if ac.lane then return ac.lane end
  local class = (ac.f.in_high or 0) > 0 and 'high' or (ac.f.in_normal or 0) > 0 and 'normal' or 'low'
  local inner = cell .. 'in:' .. account .. ':' .. channel .. ':' .. class
  local sender = redis.call('ZRANGE', inner, 0, 0)[1]
  local lane = { account = account, channel = channel, class = class, sender = sender, inner = inner, alone = ac.f['in_' .. class] == 1 }
  lane.name = lane_name(account, channel, class, sender)
  lane.lane = lane.name
  if lane.alone then ac.lane = lane end
  return lane
end

-- Why the sender may not be served now: parks the lane and answers true.
local function lane_must_wait(lane)
  local account, class, sender = lane.account, lane.class, lane.sender
  local q = q_of_sender(lane)
  local till, by = 0, nil
  if (q.f.closed or 0) > now then till, by = q.f.closed, 'provider' end
  if q.f.interval then
    -- What of this sender is released and not begun counts as slots already taken.
    local slot = math.max(now, (q.f.last or 0) + q.f.interval) + (q.f.out or 0) * q.f.interval
    if slot > now + SENDER_LEAD and slot - SENDER_LEAD > till then till, by = slot - SENDER_LEAD, 'rate' end
  end
  local full_until, kind = blocked_until(q, 1, account_of(account).zone, now)
  if full_until > till then till, by = full_until, 'sender.' .. kind end
  if till == 0 then return false end
  park_lane(account, channel, class, sender, till, by)
  return true
end

-- What of its turn an account may have at once: all that is left of it, as long as nothing comes between two messages:
-- neither ring H, nor another lane of its own, nor the rate of its sender.
local function at_once(lane, ring, turn)
  if ring == 'h' or not lane.alone or q_of_sender(lane).f.interval or is_open('h') then return 1 end
  local most = math.min(turn, left, MOST_MESSAGES - released, row('ln:' .. lane.name).f.live or 1)
  for _, q in ipairs(chain_of(lane)) do most = math.min(most, q.room) end
  return most
end

local released_key, now_text = 'released:' .. channel, text_of(now)

local function let_go(lane, id, f, turn)
  local job, number = job_for(lane.class), (f.release or 0) + 1
  f.state, f.release, f.job, f.token, f.lane, f.turn = 'released', number, job[1], nil, lane.name, turn
  job[#job + 1] = { id, number }
  move(released_key, id, now_text)
end

-- Lets the first of the lane go that still wait, so many at most, and answers how many went. Tombstones (canceled, expired,
-- suppressed, purged) are dropped. An id may be there twice, with a tombstone behind it: what went is no longer waiting.
local function pop(lane, most, turn)
  local ln, list, count = row('ln:' .. lane.name), cell .. 'lane:' .. lane.name, 0
  while count < most do
    local some = math.min(most - count, MOST_POPS - pops)
    local ids = some > 0 and redis.call('LPOP', list, some)
    if not ids then break end
    pops = pops + #ids
    add(ln, 'popped', #ids)
    for _, id in ipairs(ids) do
      local x = x_of(id)
      local state = x.f.state
      if state == 'queued' or (not state and message_exists(id)) then
        let_go(lane, id, touch(x), turn)
        count = count + 1
      end
    end
  end
  return count
end

local CREDIT = { h = 'credit_h', a = 'credit_a' }

local function serve(lane, ac, ring, number, worth)
  local turn = ac.f[CREDIT[ring]] or worth
  local count = pop(lane, at_once(lane, ring, turn), ring == 'h' and -number or tonumber(number))
  if count == 0 then
    -- Nothing but tombstones, and more of them than a call may drop: others go before the next of them.
    if pops >= MOST_POPS then to_tail(lane.account, channel, ring) end
    return
  end
  hold(lane, count)
  add(q_of_sender(lane), 'out', count)
  add(ac, 'released', count)
  if not lane.alone then redis.call('ZADD', lane.inner, next_turn(channel), lane.sender) end
  released, left, work = released + count, left - count, work + count * WORK.message
  -- (9) the turn: kept over calls in its credit
  if ring == 'h' then
    add(stat, 'served_h', count)
    add(ac, 'debt', count)
  else
    put(stat, 'served_h', nil)
  end
  local credit = turn - count
  put(ac, CREDIT[ring], credit > 0 and credit or nil)
  if credit <= 0 then
    put(ac, 'fresh', nil)
    to_tail(lane.account, channel, ring)
  end
  lane_lost(lane, count)
end

while left > 0 do
  if looked >= MOST_LANES or pops >= MOST_POPS or released >= MOST_MESSAGES or work >= MOST_WORK then
    -- A call that did nothing but pass accounts over for their zones asks for no other: as long as nobody writes their
    -- rows, it would be the same again, for ever. The ring has turned; the next tick goes on where this one ended.
    more = more or looked > skipped
    break
  end
  -- (4) which ring; how often H was served since A is kept over calls
  local a_open = is_open('a')
  local ring = is_open('h') and ((stat.f.served_h or 0) < H_PER_A or not a_open) and 'h' or a_open and 'a' or nil
  if not ring then break end
  looked = looked + 1
  local account, number = head_of(channel, ring)
  if not acs[channel][account] then work = work + WORK.account end
  local ac = ac_of(account, channel)
  local weight = account_of(account).weight
  local worth = (ac.f.fresh and 1 or turn_in(ring, number, now, stat, size > 1)) * weight
  -- (5) the account, (6) its lane whose turn it is, (7) its messages, (8) write
  if not account_must_wait(account, ring, ac, weight, worth) then
    local lane = lane_at_head(account, ac)
    if not rows['ln:' .. lane.name] then work = work + WORK.lane end
    if not lane_must_wait(lane) then serve(lane, ac, ring, number, worth) end
  end
end

-- When must somebody look again? Openings of closed channels included.
local function next_instant()
  local next = -1
  local function sooner(at)
    at = tonumber(at)
    if at and at < math.huge and (next < 0 or at < next) then next = at end
  end
  for _, set in ipairs({ 'scheduled', 'parked', 'expiring', 'sending' }) do
    sooner(redis.call('ZRANGE', cell .. set, 0, 0, 'WITHSCORES')[2])
  end
  if (rate.f.closed or 0) > now then sooner(rate.f.closed) end
  return next < 0 and -1 or math.max(0, math.ceil(next - now))
end

local woken_list = {}
woken[channel] = nil
for on in pairs(woken) do woken_list[#woken_list + 1] = on end
flush()
return { jobs, more and 1 or 0, next_instant(), stale_list, woken_list, released, looked }
