--@ lib clock
--@ lib limits
--[[ let-in: keys, if their accounts are there too, and what bounds their requests. One look, so that neither a revoked key nor a
     removed account opens anything from the moment on at which it was said, and a limit holds from then on. Requests by a key
     that is as it was known are held to their limits in the same call; of any other nothing is charged.
     KEYS 1 cell
     ARGV how many keys; for each its id, and the text by which it is known ('' where it is not); then for each group of requests
          the place of its key among them, and its words (lib/limits.lua)
     Reply {now, {for each key: 1 if it is as it was known, or a JSON list: the account's plan, its own API limit and ceiling, its
          plan as it was set over the API, then fields and values of the key; '' for one that is unknown, expired or revoked, or
          whose account is gone or going}, what is said of each group; nothing where its key is not as it was known}
     The text is the same while nothing of it changes: whoever has read it once need not read it again. ]]
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

local keys, said, is_known, arg = tonumber(ARGV[1]), {}, {}, 2
for place = 1, keys do
  local text = find(ARGV[arg])
  is_known[place] = text ~= '' and text == ARGV[arg + 1]
  said[place] = is_known[place] and 1 or text
  arg = arg + 2
end
local replies = { string.format('%.0f', now), said }
while ARGV[arg] do replies[#replies + 1], arg = admit_group(arg + 1, is_known[tonumber(ARGV[arg])]) end
keep_charges()
return replies
