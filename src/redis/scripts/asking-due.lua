--@ lib clock
--@ lib rows
--@ lib messages
--[[ asking-due: texts whose provider is to be asked now. Who gets them has them for a while: two workers do not ask at once,
     and if this one dies, another asks later.
     KEYS 1 cell
     ARGV 1 at most so many, 2 for how long they are the caller's (ms)
     Reply {now, {id, how often it was asked, channel, sender, recipient, began (ms), batch or '', record's JSON}…} ]]
local most, claim = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = keep_clock()
local replies = { string.format('%.0f', now) }
for _, id in ipairs(redis.call('ZRANGEBYSCORE', cell .. 'asking', '-inf', now, 'LIMIT', 0, most)) do
  local x, m, record, at = x_of(id), whole_message(id)
  if m and x.f.state == 'asking' then
    redis.call('ZADD', cell .. 'asking', now + claim, id)
    replies[#replies + 1] = { id, x.f.asked or 0, m.channel, m.sender, m.recipient, string.format('%.0f', x.f.began or m.created), m.batch or '', string.sub(record, at) }
  else
    redis.call('ZREM', cell .. 'asking', id)
  end
end
return replies
