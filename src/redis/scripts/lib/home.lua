-- Where the cell is. Its keys may find themselves on another server (a replica that took over, the same data after a
-- restart), or be older than they were, and then what was acknowledged last may be missing. `home.at` names the server on
-- which the cell was last known to be whole, by its replication id: a new one each time that a server begins, takes over,
-- or becomes a replica. Where it names another, nobody begins and nothing is released until the workers have said what
-- they know (failover-declare.lua). It is asked within the script, not by the client: a command that is sent again when
-- its connection is back must not slip through to a server that nobody has looked at. (INFO: 6 µs on Redis 7.0.)
local ELSEWHERE = '-' -- for `at`: whatever server this is, it is not known to be whole

local function server_here()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''
end

-- A cell without a home is new: nothing has gone yet that could be forgotten.
local function is_at_home()
  local at = redis.call('HGET', cell .. 'home', 'at')
  return not at or at == server_here()
end
