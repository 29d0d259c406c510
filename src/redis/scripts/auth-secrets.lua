--@ lib clock
--[[ auth-secrets: what access tokens are signed with, and what refresh tokens are derived with. The first to ask makes them;
     a signing secret is replaced when it is old, and the one before it goes once the last token it signed has expired.
     KEYS 1 cell
     ARGV 1 kid, 2 signing secret, 3 refresh secret (each taken if one is wanted), 4 how old a signing secret may be, 5 how
     long the one before it is good for still (ms)
     Reply the refresh secret, then kid, when it was made (ms), secret: the newest first ]]
local kid, secret, refresh = ARGV[1], ARGV[2], ARGV[3]
local oldest, still = tonumber(ARGV[4]), tonumber(ARGV[5])
local signing = cell .. 'signing'
local now = keep_clock()
local kept, all = redis.call('HGETALL', signing), {}
local refresh_kept
for at = 1, #kept, 2 do
  if kept[at] == 'refresh' then
    refresh_kept = kept[at + 1]
  else
    local made_at, text = string.match(kept[at + 1], '^(%d+) (.*)$')
    all[#all + 1] = { kid = kept[at], made_at = tonumber(made_at), secret = text }
  end
end
table.sort(all, function(a, b) return a.made_at > b.made_at end)

if not refresh_kept then redis.call('HSET', signing, 'refresh', refresh) end
if #all == 0 or all[1].made_at + oldest <= now then
  redis.call('HSET', signing, kid, string.format('%.0f', now) .. ' ' .. secret)
  table.insert(all, 1, { kid = kid, made_at = now, secret = secret })
end
local reply = { refresh_kept or refresh }
for place, one in ipairs(all) do
  if place == 1 or (place == 2 and all[1].made_at + still > now) then
    reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = one.kid, string.format('%.0f', one.made_at), one.secret
  else
    redis.call('HDEL', signing, one.kid)
  end
end
return reply
