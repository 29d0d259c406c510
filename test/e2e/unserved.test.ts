/** The only worker of texts goes, with texts released; one that sends mails lives on. All of them are of one account. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.ts";
import { startWorkerProcess, type WorkerProcess } from "../support/worker-processes.ts";
import { aWorld, type World } from "../support/world.ts";

const HANDS = 3;
const AN_HOUR = 5;
/** ms without a beat, after which a worker is dead, and one more. */
const DEAD = 6_001;

const NO_MAILS = { SMTP_URL: "" };
const NO_TEXTS = { TWILIO_ACCOUNT_SID: "", TWILIO_AUTH_TOKEN: "", PUBLIC_URL: "" };

describe("the only worker of a channel", () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  const started = async (world: World, env: Record<string, string>): Promise<WorkerProcess> => {
    const worker = await startWorkerProcess(world, { env: { SLUICE_CONCURRENCY: `sms=${HANDS}`, ...env } });
    closing.push(() => worker.end("SIGKILL"));
    return worker;
  };
  const held = async (world: World): Promise<number> =>
    (await world.as("GET", "/v1/quotas")).body.all.hour.held as number;

  /** Texts fill the hour: three are at a provider that does not answer before `open`, two are released and not begun. */
  const full = async () => {
    const world = await aWorld({ workers: 0, quotas: { all: { hour: AN_HOUR } } });
    closing.push(world.stop);
    let open = (): void => {};
    const latch = new Promise<void>((resolve) => {
      open = resolve;
    });
    closing.push(async () => open());
    let arriving = 0;
    world.provider.beforeArrival = async ({ channel }) => {
      if (channel !== "sms") return;
      arriving++;
      await latch;
    };
    await started(world, NO_TEXTS);
    const texter = await started(world, NO_MAILS);
    for (let n = 0; n < AN_HOUR; n++) expect((await world.send(n, "sms")).status).toBe(202);
    await until(async () => arriving === HANDS && (await held(world)) === AN_HOUR, { what: "the hour to be full" });
    return { world, texter, open };
  };

  const mailsArrive = async (world: World): Promise<void> => {
    for (let n = 0; n < AN_HOUR; n++) await world.send(100 + n);
    await until(() => world.ledger.filter(({ channel }) => channel === "email").length === AN_HOUR - HANDS, {
      what: "mails to go in the room that texts have left",
      within: 20_000,
    });
  };

  it("leaves what it has not begun to its account's other channels when it is killed", async () => {
    const { world, texter } = await full();
    await texter.end("SIGKILL");
    await world.core.commands.set(world.core.keys.testClock, world.now() + DEAD);
    await mailsArrive(world);
    await until(async () => (await held(world)) === HANDS, { what: "nothing but the texts under way to hold room" });
  });

  it("leaves it to them when it stops, and the next one sends it once there is room", async () => {
    const { world, texter, open } = await full();
    const ending = texter.end("SIGTERM");
    open();
    expect(await ending).toBe(0);
    await mailsArrive(world);
    expect(world.ledger).toHaveLength(AN_HOUR);

    await started(world, NO_MAILS);
    await world.advanceTo(world.now() + 3_600_000);
    await world.quiet();
    const texts = world.ledger.filter(({ channel }) => channel === "sms").map(({ message_id: id }) => id);
    expect([texts.length, new Set(texts).size]).toEqual([AN_HOUR, AN_HOUR]);
  });
});
