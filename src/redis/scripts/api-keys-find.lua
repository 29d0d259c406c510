--@ lib clock
--[[ api-keys-find: keys, if their accounts are there too, and what bounds their requests. One look, so that neither a revoked
     key nor a removed account opens anything from the moment on at which it was said, and a limit holds from then on. Reads only.
     KEYS 1 cell        ARGV key ids
     Reply {now, for each a JSON list: the account's plan, its own API limit and ceiling, its plan as it was set over the API,
     then fields and values of the key}; '' for one that is unknown, expired or revoked, or whose account is gone or going.
     As one text, which is the same while nothing of it changes: whoever has read it once need not read it again. ]]
local now = read_clock()

local function find(id)
  local key = cell .. 'key:' .. id
  local account, revoked, expires_at = unpack(redis.call('HMGET', key, 'account', 'revoked', 'expires_at'))
  if not account or revoked then return '' end
  if (tonumber(expires_at or '') or math.huge) <= now then return '' end
  local name, removed, plan, api_limit, api_ceiling =
    unpack(redis.call('HMGET', cell .. 'acc:' .. account, 'name', 'removed', 'plan', 'api_limit', 'api_ceiling'))
  if not name or removed == '1' then return '' end
  local set = plan and plan ~= '' and redis.call('HGET', cell .. 'plans:set', plan)
  return cjson.encode({ plan or '', api_limit or '', api_ceiling or '', set or '', unpack(redis.call('HGETALL', key)) })
end

local found = { string.format('%.0f', now) }
for at, id in ipairs(ARGV) do found[at + 1] = find(id) end
return found
