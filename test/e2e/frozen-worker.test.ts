/** A worker that stands still for so long that it loses everything it held, and comes back: an event loop that is blocked. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { isLong, note } from "../support/measuring.ts";
import { lasting } from "../support/redis-troubles.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess, type WorkerProcess } from "../support/worker-processes.ts";
import { aWorld, type World } from "../support/world.ts";

const EACH = 4;

describe("a worker that stands still with messages in its hands", () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  const started = async (world: World, env: Record<string, string> = {}): Promise<WorkerProcess> => {
    const worker = await startWorkerProcess(world, { env: { TEST_LOG: "debug", ...env } });
    closing.push(() => worker.end("SIGKILL"));
    return worker;
  };
  const said = (worker: WorkerProcess, what: RegExp): number => worker.output().match(what)?.length ?? 0;

  /** BullMQ's locks run out after 15 s; the short form takes them away at once. */
  const loseLocks = async (world: World, other: WorkerProcess): Promise<void> => {
    const { commands, keys } = world.core;
    if (isLong) await lasting(45_000);
    else for (const lock of await commands.keys(`${keys.bullPrefix}:*:lock`)) await commands.del(lock);
    await until(() => said(other, /"reply":"taken"/g) > 0, { what: "a job to be run again", within: 30_000 });
  };

  /** Time passes, in steps that no attempt of a living worker takes. */
  const letEnd = async (world: World, ids: readonly string[]): Promise<void> => {
    const { commands, keys } = world.core;
    await world.advanceTo(world.now() + 26_000);
    await until(async () => (await commands.exists(`${keys.cell}sending`)) === 0, {
      what: "the reaper to have looked",
      within: 20_000,
    });
    for (let step = 0; step < 30; step++) {
      await world.quiet();
      const asking = `${keys.cell}asking`;
      await until(async () => (await commands.zcount(asking, "-inf", world.now())) === 0, {
        what: "the provider to be asked",
      });
      const open = await Promise.all(
        ids.map(async (id) =>
          /^(queued|scheduled|sending)$/.test((await world.as("GET", `/v1/messages/${id}`)).body.status),
        ),
      );
      if (!open.includes(true) && (await commands.zcard(asking)) === 0) return;
      await world.advanceTo(world.now() + 20_000);
    }
    throw new Error("not everything ended");
  };

  const standStill = async (point: string): Promise<void> => {
    // The account asked for texts that nobody knows of to go again: a late call would be a second one.
    const world = await aWorld({ workers: 0 });
    closing.push(world.stop);
    const patched = await world.call("PATCH", `/v1/accounts/${world.account.id}`, { on_uncertain: { sms: "resend" } });
    expect(patched.status).toBe(200);
    const frozen = await started(world, { SLUICE_FAULTPOINT: `${point}:1`, TEST_FAULT_SIGNAL: "SIGSTOP" });
    const messages = (channel: "sms" | "email") => Array.from({ length: EACH }, (_, n) => world.bodyFor[channel](n));
    const bulks = [
      await world.as("POST", "/v1/sms/send/bulk", { messages: messages("sms") }),
      await world.as("POST", "/v1/email/send/bulk", { messages: messages("email") }),
    ];
    const ids: string[] = bulks.flatMap(({ body }) => body.results.map(({ id }: { id: string }) => id));
    const inHands = async () => (await world.core.commands.zcard(`${world.core.keys.cell}sending`)) > 0;
    await until(inHands, { what: "the first worker to have begun" });
    const other = await started(world);
    await loseLocks(world, other);
    await letEnd(world, ids);

    const before = world.ledger.length;
    const attempts = said(frozen, /"event":"attempt"/g);
    frozen.child.kill("SIGCONT");
    await until(() => said(frozen, /"event":"attempt"/g) > attempts, { what: "the first worker to go on" });
    await frozen.end("SIGTERM");
    // It called nobody: what came of its attempts was known before.
    expect(world.ledger).toHaveLength(before);
    expect(said(frozen, /"settled":"ok"/g)).toBe(0);

    const times = (channel: string) => {
      const arrived = world.ledger.filter((entry) => entry.channel === channel).map((entry) => entry.message_id);
      return { arrived: arrived.length, different: new Set(arrived).size };
    };
    note("frozen worker", { point, sms: times("sms"), email: times("email") });
    expect(times("sms")).toEqual({ arrived: EACH, different: EACH });
    // A mail whose answer died with the worker goes again; one that was never handed over goes once.
    expect(times("email").different).toBe(EACH);
    if (point === "worker.begun") expect(times("email").arrived).toBe(EACH);
    const statuses = await Promise.all(
      ids.map(async (id) => (await world.as("GET", `/v1/messages/${id}`)).body.status),
    );
    expect(new Set(statuses)).toEqual(new Set(["sent"]));
  };

  // Beside each other: most of it is waiting for what must not be hurried.
  it("before it called the provider, or with the answer in its hands: another goes on, no text goes twice, none is called late", async () => {
    await Promise.all(["worker.begun", "worker.replied"].map(standStill));
  }, 150_000);
});
