/** kill -9 of `npm start`, and of its Redis, in mid-send. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { scratchDirectory } from "../start/scratch.ts";
import { anAccountOf, endAll, run, type Run } from "../support/program-run.ts";
import { until } from "../support/until.ts";

const MAILS = 300;
const TEXTS = 40;

interface Sent {
  readonly channel: string;
  readonly message_id: string;
}

describe("npm start, killed in mid-send", () => {
  const scratch = scratchDirectory();
  const dataDir = join(scratch.path, "data");
  const env = { SLUICE_DATA_DIR: dataDir, SLUICE_RATES: "email=200/s,sms=20/s,voice=off,whatsapp=off" };
  afterEach(endAll);
  afterAll(() => scratch.remove());

  const arrivals = async (program: Run): Promise<Sent[]> =>
    (await program.call("GET", "/sandbox/messages?limit=1000")).body;
  /** Hundreds of mails, a few to a slow server, and texts. */
  const load = async (program: Run, key: string, round: string): Promise<string[]> => {
    const messages = Array.from({ length: MAILS }, (_, n) => ({
      from: "shop@example.com",
      to: n % 50 === 7 ? "slow@sandbox.invalid" : `${round}${n}@example.net`,
      subject: `Message ${n}`,
      text: "It works.",
    }));
    const texts = Array.from({ length: TEXTS }, (_, n) => ({ to: `+1500555${1_000 + n}`, body: `text ${n}` }));
    const answers = [
      await program.call("POST", "/v1/email/send/bulk", { messages }, key),
      await program.call("POST", "/v1/sms/send/bulk", { messages: texts }, key),
    ];
    return answers.flatMap((answer) => {
      expect(answer.status).toBe(202);
      return (answer.body.results as { id: string }[]).map(({ id }) => id);
    });
  };
  const statesOf = async (program: Run, key: string, ids: readonly string[]) => {
    const states = new Map<string, string>();
    for (const id of ids) states.set(id, (await program.call("GET", `/v1/messages/${id}`, undefined, key)).body.status);
    return states;
  };
  const allEnded = async (program: Run, key: string, ids: readonly string[]) => {
    const ENDS = new Set(["sent", "uncertain", "failed"]);
    // Reaped after 25 s, and sent again 5 s later.
    await until(
      async () => {
        const { body } = await program.call("GET", "/v1/queues", undefined, key);
        return Object.values(body as Record<string, Record<string, number>>).every(
          (queue) =>
            queue["queued"] === 0 && queue["throttled"] === 0 && queue["scheduled"] === 0 && queue["sending"] === 0,
        );
      },
      { what: "nothing waits or is being sent", within: 50_000 },
    );
    const states = await statesOf(program, key, ids);
    expect([...states].filter(([, state]) => !ENDS.has(state))).toEqual([]);
    const times = new Map<string, number>();
    const ledger = await arrivals(program);
    for (const { message_id: id } of ledger) times.set(id, (times.get(id) ?? 0) + 1);
    for (const [id, state] of states) if (state === "sent") expect([id, times.get(id) ?? 0]).not.toEqual([id, 0]);
    const textTimes = ledger.filter(({ channel }) => channel === "sms").map(({ message_id: id }) => times.get(id));
    expect(textTimes.every((count) => count === 1)).toBe(true);
    return states;
  };

  it("loses nothing, and sends no text twice, whether it or its Redis is killed", async () => {
    const first = run("src/all.ts", env);
    const { key } = await anAccountOf(first);
    const ids = await load(first, key, "a");
    await until(async () => (await arrivals(first)).length > 60, { what: "some to have arrived" });
    first.kill("SIGKILL");
    expect(await first.ended).toBe("SIGKILL");

    const second = run("src/all.ts", env);
    const startedAt = performance.now();
    await second.origin();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    const more = await load(second, key, "b");
    const before = (await arrivals(second)).length;
    await until(async () => (await arrivals(second)).length > before + 30, { what: "more to have arrived" });
    process.kill(Number(readFileSync(join(dataDir, "redis.pid"), "utf8")), "SIGKILL");
    await until(async () => (await second.call("GET", "/readyz")).status === 200, {
      what: "ready again",
      within: 15_000,
    });

    const states = await allEnded(second, key, [...ids, ...more]);
    expect(states.size).toBe(2 * (MAILS + TEXTS));
    // Only what was in flight at one of the two deaths: twenty texts each time at most.
    expect([...states.values()].filter((state) => state === "uncertain").length).toBeLessThanOrEqual(40);
    second.kill("SIGTERM");
    expect(await second.ended).toBe(0);
  }, 120_000);
});
