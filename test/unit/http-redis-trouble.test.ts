import { describe, expect, it } from "@jest/globals";
import { redisTrouble } from "../../src/http/redis-trouble.ts";

const error = (message: string, fields: object = {}): Error => Object.assign(new Error(message), fields);

describe("trouble of Redis is told from a mistake of ours", () => {
  it.each([
    error("Reached the max retries per request limit (which is 1).", { name: "MaxRetriesPerRequestError" }),
    error("Command aborted due to connection close", { name: "AbortError" }),
    error("Connection is closed."),
    error("Command timed out"),
    error("connect ETIMEDOUT"),
    error("connect ECONNREFUSED 127.0.0.1:6379", { code: "ECONNREFUSED", syscall: "connect" }),
    error("connect ENOENT /tmp/redis.sock", { code: "ENOENT", syscall: "connect" }),
    error("read ECONNRESET", { code: "ECONNRESET", syscall: "read" }),
    error("getaddrinfo ENOTFOUND redis", { code: "ENOTFOUND", syscall: "getaddrinfo" }),
    error("LOADING Redis is loading the dataset in memory"),
    error("READONLY You can't write against a read only replica."),
    error("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."),
    error("BUSY Redis is busy running a script."),
    error("MASTERDOWN Link with MASTER is down"),
  ])("%s", (trouble) => expect(redisTrouble(trouble)).toMatch(/connection|not ready|keeps less/));

  it.each([
    error("OOM command not allowed when used memory > 'maxmemory'."),
    error("ERR Error running script: @user_script:7: OOM command not allowed when used memory > 'maxmemory'."),
  ])("%s", (trouble) => expect(redisTrouble(trouble)).toBe("it is full"));

  it.each([
    error("Cannot read properties of undefined"),
    error("ERR Error running script: user_script:12: attempt to compare nil with number"),
    error("WRONGTYPE Operation against a key holding the wrong kind of value"),
    error("ENOENT: no such file or directory, open 'x.lua'", { code: "ENOENT", syscall: "open" }),
    "Connection is closed.",
    null,
    undefined,
  ])("not %s", (mistake) => expect(redisTrouble(mistake)).toBeNull());
});
