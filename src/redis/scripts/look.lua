--@ lib clock
--@ lib rows
--@ lib messages
--[[ look: everything that says where a message is, why it waits and when it will go: a fixed number of reads. Reads only.
     KEYS 1 cell
     ARGV 1 account, 2 id; or '-', 3 channel, 4 class, 5 sender: the lane that a draft would join
     Reply {now, the record (number account channel class created due expires batch-or-- sender recipient, newline, what is
            kept, newline, the body), x, due (ms, 0: not scheduled), lane, account on channel, channel sums, rate, sender row,
            channel row, account row, zone, removed (0|1), lanes in the class, accounts in the ring,
            sending held since a failover (0|1), how many of the sender's are more urgent}
     or nothing when the account has no such message ]]
local account, id = ARGV[1], ARGV[2]
local now = read_clock()
local m, text
if id == '-' then
  m, text = { account = account, channel = ARGV[3], class = ARGV[4], sender = ARGV[5] }, ''
else
  local record, at
  m, record, at = whole_message(id)
  if not m or m.account ~= account then return {} end
  text = string.format('%d %s %s %s %.0f %.0f %.0f %s %s %s\n%s', m.number, account, m.channel, m.class, m.created, m.due,
    m.expires, m.batch or '-', m.sender, m.recipient, string.sub(record, at))
end
local on = account .. ':' .. m.channel
local function all(key) return flat(row(key)) end
local urgent = 0
for _, class in ipairs({ 'high', 'normal', 'low' }) do
  if class == m.class then break end
  urgent = urgent + (row('ln:' .. on .. ':' .. class .. ':' .. m.sender).f.live or 0)
end
local zone, removed = unpack(redis.call('HMGET', cell .. 'acc:' .. account, 'zone', 'removed'))
return {
  string.format('%.0f', now), text, all('x:' .. id), redis.call('ZSCORE', cell .. 'scheduled', id) or '0',
  all('ln:' .. on .. ':' .. m.class .. ':' .. m.sender), all('ac:' .. on), all('stat:' .. m.channel), all('rate:' .. m.channel),
  all('q:S|' .. account .. '|' .. m.channel .. '|' .. m.sender), all('q:C|' .. account .. '|' .. m.channel), all('q:A|' .. account),
  zone or '', removed == '1' and 1 or 0, redis.call('ZCARD', cell .. 'in:' .. on .. ':' .. m.class),
  redis.call('ZCARD', cell .. 'ring:' .. m.channel .. ':a'), redis.call('HEXISTS', cell .. 'home', 'to'), urgent,
}
