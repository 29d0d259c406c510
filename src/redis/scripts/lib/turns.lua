-- How long a turn is, in messages, times the account's weight. To look at an account costs as much as six of its messages.
-- So where messages go in parcels, a turn in ring A is twice as long as in the round before, if that one was quick, and half
-- as long if it was slow: others' long turns must not be felt by who comes new. It is the same for all whose turns
-- come in one round: of those who were in the ring when the first of them was served (turns are numbered).
local turn_in
do
  local TURN, LONGEST_TURN = 4, 16
  local QUICK_ROUND = 100 -- ms until everybody has had a turn; slow is twice as much

  function turn_in(ring, number, now, stat, in_parcels)
    if ring == 'h' or not in_parcels then return TURN end
    local f = stat.f
    if tonumber(number) > (f.round_till or 0) then
      local took, turn = now - (f.round_since or 0), f.round_turn or TURN
      if took < QUICK_ROUND then turn = math.min(2 * turn, LONGEST_TURN) end
      if took > 2 * QUICK_ROUND then turn = math.max(turn / 2, TURN) end
      touch(stat)
      f.round_till, f.round_since, f.round_turn = f.turn, now, turn
    end
    return f.round_turn
  end
end
