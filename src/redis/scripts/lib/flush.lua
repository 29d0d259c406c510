-- What every script that changes rows calls last, and once more where it goes on after that.

-- How many messages of an account on a channel are held up, and how many of them by something else than a quota. Of one that is
-- paused, or going, nothing goes: who counts what may go counts none of it.
local function held_up(ac)
  if ac.f.paused == 1 or ac.f.parked == PARKED_FOR_GOOD then return ac.f.queued or 0, ac.f.queued or 0 end
  if ac.f.parked == PARKED_BY_QUOTA then return ac.f.queued or 0, 0 end
  return ac.f.lane_parked or 0, ac.f.lane_paced or 0
end

-- Writes every row that changed, and the sums over all accounts with them.
local function flush()
  say_holds()
  book_all()
  write_tallies()
  for i = 1, #row_order do
    local ac = row_order[i]
    if ac.channel then
      local throttled, paced = held_up(ac)
      put(ac, 'throttled', throttled ~= 0 and throttled or nil)
      put(ac, 'paced', paced ~= 0 and paced or nil)
      for field, before in pairs(ac.before) do
        local change = (ac.f[field] or 0) - before
        if change ~= 0 then
          add(stat_of(ac.channel), field, change)
          ac.before[field] = ac.f[field] or 0
        end
      end
    end
  end
  write_later()
  write_rows()
end
