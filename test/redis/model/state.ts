/** The whole state of a small cell in one reading, in the words of keys.ts. */
import type { Redis } from "ioredis";
import { CLASSES, type Channel } from "../../../src/domain/channel.ts";
import type { Cell } from "../../../src/redis/keys.ts";

export type Fields = Readonly<Record<string, string>>;
export type Scores = Readonly<Record<string, string>>;

export interface CellState {
  readonly clock: number;
  readonly x: Readonly<Record<string, Fields>>;
  /** The number in each message's header. */
  readonly number: Readonly<Record<string, number>>;
  /** Lists: Lua's JSON writes an empty one as {}, so read them by Object.values. */
  readonly lane: Readonly<Record<string, readonly string[]>>;
  readonly ln: Readonly<Record<string, Fields>>;
  readonly lanes: Readonly<Record<string, readonly string[]>>;
  readonly inner: Readonly<Record<string, Scores>>;
  readonly ac: Readonly<Record<string, Fields>>;
  readonly q: Readonly<Record<string, Fields>>;
  readonly acc: Readonly<Record<string, Fields>>;
  readonly rate: Readonly<Record<string, Fields>>;
  readonly stat: Readonly<Record<string, Fields>>;
  readonly released: Readonly<Record<string, Scores>>;
  readonly h: Readonly<Record<string, Scores>>;
  readonly a: Readonly<Record<string, Scores>>;
  readonly parked: Scores;
  readonly scheduled: Scores;
  readonly expiring: Scores;
  readonly sending: Scores;
  readonly zone: Readonly<Record<string, string>>;
}

export interface Cast {
  readonly accounts: readonly string[];
  readonly channels: readonly Channel[];
  readonly senders: readonly string[];
  readonly zones: readonly string[];
}

const READ = `
local cell, ask = KEYS[1], cjson.decode(ARGV[1])
local function pairs_of(flat)
  local out = {}
  for i = 1, #flat, 2 do out[flat[i]] = flat[i + 1] end
  return out
end
local function all(key)
  local packed = redis.pcall('GET', cell .. key)
  if type(packed) == 'string' then
    local said = {}
    for field, value in pairs(cmsgpack.unpack(packed)) do
      said[field] = type(value) == 'number' and string.format('%.17g', value) or value
    end
    return said
  end
  return pairs_of(redis.call('HGETALL', cell .. key))
end
local function scores(key) return pairs_of(redis.call('ZRANGE', cell .. key, 0, -1, 'WITHSCORES')) end
local out = { clock = tonumber(redis.call('GET', cell .. 'clock') or '0'), x = {}, number = {}, lane = {}, ln = {}, lanes = {},
  inner = {}, ac = {}, q = {}, acc = {}, rate = {}, stat = {}, released = {}, h = {}, a = {}, zone = {} }
for _, set in ipairs({ 'parked', 'scheduled', 'expiring', 'sending' }) do out[set] = scores(set) end
for _, id in ipairs(ask.ids) do
  out.x[id] = all('x:' .. id)
  local text = redis.call('GETRANGE', cell .. 'm:' .. id, 0, 20)
  if text == '' and #id == 30 then -- a bulk's; up to 17 both base 32s count alike
    text = redis.call('LINDEX', cell .. 'bat:bat_' .. string.sub(id, 5, 25) .. '00000:rows', tonumber(string.sub(id, 26), 32)) or ''
  end
  out.number[id] = tonumber(string.match(text, '^[+=](%d+)') or '0')
end
for _, zone in ipairs(ask.zones) do out.zone[zone] = redis.call('GET', cell .. 'zone:' .. zone) or '' end
for _, c in ipairs(ask.channels) do
  out.rate[c], out.stat[c], out.released[c] = all('rate:' .. c), all('stat:' .. c), scores('released:' .. c)
  out.h[c], out.a[c] = scores('ring:' .. c .. ':h'), scores('ring:' .. c .. ':a')
end
for _, a in ipairs(ask.accounts) do
  out.acc[a], out.q['A|' .. a] = all('acc:' .. a), all('q:A|' .. a)
  for _, c in ipairs(ask.channels) do
    local on = a .. ':' .. c
    out.ac[on], out.q['C|' .. a .. '|' .. c] = all('ac:' .. on), all('q:C|' .. a .. '|' .. c)
    out.lanes[on] = redis.call('SMEMBERS', cell .. 'lanes:' .. on)
    for _, s in ipairs(ask.senders) do
      out.q['S|' .. a .. '|' .. c .. '|' .. s] = all('q:S|' .. a .. '|' .. c .. '|' .. s)
      for _, k in ipairs(ask.classes) do
        local name = on .. ':' .. k .. ':' .. s
        if redis.call('EXISTS', cell .. 'ln:' .. name, cell .. 'lane:' .. name) > 0 then
          out.lane[name], out.ln[name] = redis.call('LRANGE', cell .. 'lane:' .. name, 0, -1), all('ln:' .. name)
        end
      end
    end
    for _, k in ipairs(ask.classes) do out.inner[on .. ':' .. k] = scores('in:' .. on .. ':' .. k) end
  end
end
return cjson.encode(out)
`;

export const readState = async (redis: Redis, cell: Cell, cast: Cast, ids: readonly string[]): Promise<CellState> => {
  const text = (await redis.eval(READ, 1, cell, JSON.stringify({ ...cast, classes: CLASSES, ids }))) as string;
  return JSON.parse(text) as CellState;
};

export const num = (fields: Fields | undefined, field: string): number => Number(fields?.[field] ?? 0);

const END_STATES = new Set([
  "sent",
  "delivered",
  "undelivered",
  "failed",
  "expired",
  "canceled",
  "suppressed",
  "uncertain",
]);
export const hasEnded = (state: string): boolean => END_STATES.has(state);

export const stateOf = (state: CellState, id: string): string =>
  state.x[id]?.["state"] ?? (id in state.scheduled ? "scheduled" : "queued");
