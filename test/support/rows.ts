/** Rows as the scripts pack them (scripts/lib/rows.lua), for tests that look at one, or put one into a state of its own. */
import type { Redis } from "ioredis";

const READ = `
local said = {}
local packed = redis.pcall('GET', KEYS[1])
if type(packed) == 'table' then return redis.call('HGETALL', KEYS[1]) end
for field, value in pairs(packed and cmsgpack.unpack(packed) or {}) do
  said[#said + 1] = field
  said[#said + 1] = type(value) == 'number' and string.format('%.17g', value) or value
end
return said`;

const WRITE = `
local packed = redis.call('GET', KEYS[1])
local fields = packed and cmsgpack.unpack(packed) or {}
for at = 1, #ARGV, 2 do fields[ARGV[at]] = tonumber(ARGV[at + 1]) end
redis.call('SET', KEYS[1], cmsgpack.pack(fields))`;

const UNPACK = `
local unpacked = 0
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local packed = redis.pcall('GET', key)
  if type(packed) == 'string' then
    redis.call('DEL', key)
    for field, value in pairs(cmsgpack.unpack(packed)) do redis.call('HSET', key, field, value) end
    unpacked = unpacked + 1
  end
end
return unpacked`;

/** What names of a cell are rows. */
const ROWS = ["x:*", "q:*", "ac:*", "ln:*", "rate:*", "stat:*"] as const;
export const isRow = (name: string): boolean => ROWS.some((pattern) => name.startsWith(pattern.slice(0, -1)));

/** Every row of a cell becomes a hash: as rows were kept before they were packed. @returns how many */
export const unpackRows = async (redis: Redis, cell: string): Promise<number> => {
  const counts = await Promise.all(
    ROWS.map((pattern) => redis.eval(UNPACK, 0, cell.replaceAll(/[{}]/g, "\\$&") + pattern)),
  );
  return counts.reduce<number>((sum, count) => sum + Number(count), 0);
};

/** A row or a hash. @returns every field as text; none of one that is not there */
export const readRow = async (redis: Redis, key: string): Promise<Readonly<Record<string, string>>> => {
  const flat = (await redis.eval(READ, 1, key)) as string[];
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? "", flat[2 * at + 1] ?? ""]),
  );
};

/** These fields, beside those that it has. */
export const changeRow = async (redis: Redis, key: string, fields: Readonly<Record<string, number>>): Promise<void> => {
  await redis.eval(WRITE, 1, key, ...Object.entries(fields).flat());
};
