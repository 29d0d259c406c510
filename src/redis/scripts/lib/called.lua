-- A turn is had when a message is called, not when it is let go: of what is released when a channel opens, the first may be
-- told to slow down, and all the others come back. (Without: who was first is first again when it opens next, since the others
-- come back to the tail, and one account that is throttled each time keeps everybody else from a channel for good.)
local ring_and_turn, put_back, end_turn
do
  -- The turn in which a message went: of its account in ring A; below zero, in H. None: released by the version before.
  function ring_and_turn(x)
    local turn = x.f.turn
    if not turn then return nil, 0 end
    return turn < 0 and 'h' or 'a', math.abs(turn)
  end

  -- Where a member is that should be at `turn`, or further ahead; nil when it is not in the ring.
  local function put_at(key, member, turn)
    local at = tonumber(redis.call('ZSCORE', cell .. key, member))
    if at and at > turn then
      redis.call('ZADD', cell .. key, turn, member)
      heads[key] = nil
    end
    return at
  end

  local function inner_ring(m)
    return 'in:' .. m.account .. ':' .. m.channel .. ':' .. m.class
  end

  -- Let go and not called: back at the head of its lane, with its turn. What comes back of a turn is what the turn is worth.
  function put_back(m)
    local ac = ac_of(m.account, m.channel)
    local ring, turn = ring_and_turn(x_of(m.id))
    if ring == 'h' then add(ac, 'debt', -1) end -- (below zero where a turn in A has repaid it already)
    requeue(m, true)
    wake(m)
    if not ring then return end
    if turn > (q_of_sender(m).f.had or 0) then put_at(inner_ring(m), m.sender, turn) end
    if turn < (ac.f.had or 0) then return end
    local at, credit = put_at(ring_keys[m.channel][ring], m.account, turn), 'credit_' .. ring
    if at and at >= turn then put(ac, credit, (at == turn and ac.f[credit] or 0) + 1) end
  end

  -- Called, and told that everybody is to slow down: that was its account's turn, and its sender's within the account. What
  -- comes back of theirs that was let go before brings no turn back.
  function end_turn(m)
    local ac, had = ac_of(m.account, m.channel), next_turn(m.channel)
    put(ac, 'had', had)
    put(q_of_sender(m), 'had', had)
    put(ac, 'fresh', nil)
    for _, ring in ipairs({ 'h', 'a' }) do
      put(ac, 'credit_' .. ring, nil)
      if ac.f['in_ring_' .. ring] then to_tail(m.account, m.channel, ring) end
    end
    if redis.call('ZSCORE', cell .. inner_ring(m), m.sender) then
      redis.call('ZADD', cell .. inner_ring(m), next_turn(m.channel), m.sender)
    end
  end
end
