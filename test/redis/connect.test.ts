/** A connection works in the database that its address names, or in none. */
import { afterAll, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { pino } from "pino";
import { connect, type Purpose } from "../../src/redis/connect.ts";
import { redisServer } from "../support/redis-servers.ts";
import { until } from "../support/until.ts";

const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const said: string[] = [];
const log = pino({ level: "warn" }, { write: (line) => void said.push(line) });

const aServer = async (settings: Readonly<Record<string, string>>) => {
  const server = await redisServer(settings);
  closing.push(server.close);
  const opened = (path: string, purpose: Purpose = "commands"): Redis => {
    const redis = connect({ url: `redis://${path}` }, purpose, log);
    closing.push(async () => redis.disconnect());
    return redis;
  };
  return { server, opened };
};

it("writes nothing into the first database where the server does not have the one that is named", async () => {
  const { server, opened } = await aServer({ databases: "2" });
  const redis = opened(`127.0.0.1:${server.port}/2`);
  await expect(redis.set("kept", "in the wrong place")).rejects.toThrow("max retries");
  expect(await server.admin.dbsize()).toBe(0);
  expect(said.join("")).toContain("DB index is out of range");
  const other = opened(`127.0.0.1:${server.port}/1`);
  await other.set("kept", "in its place");
  expect(await server.admin.dbsize()).toBe(0);
});

it("waits, where nobody asks for an answer, until its user may go into the one that is named", async () => {
  const { server, opened } = await aServer({});
  await server.admin.call("ACL", "SETUSER", "sluice", "on", ">secret", "~*", "&*", "+@all", "-select");
  const redis = opened(`sluice:secret@127.0.0.1:${server.port}/1`, "patient");
  const written = redis.set("kept", "in its place");
  await until(() => said.some((line) => line.includes("NOPERM")), { what: "the refusal" });
  expect(await server.admin.dbsize()).toBe(0);
  await server.admin.call("ACL", "SETUSER", "sluice", "+select");
  await written;
  const one = new Redis({ port: server.port, host: "127.0.0.1", db: 1 });
  closing.push(async () => one.disconnect());
  expect([await one.get("kept"), await server.admin.dbsize()]).toEqual(["in its place", 0]);
});
