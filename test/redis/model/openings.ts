/**
 * A channel whose provider says "slow down" again and again: at each opening some are called, and the rest of what was
 * released comes back.
 */
import { milliseconds } from "../../../src/domain/time.ts";
import type { PutOptions, Stage } from "../../support/gate-stage.ts";

const EVERY = 100;
const CLOSED_FOR = 5_000;
const CLOSE = { about: "channel", for: milliseconds(CLOSED_FOR) } as const;
export const REFUSED = { recipient: "+15005550009" };

/** What the provider says: `eased` is sent, and there is little left. */
type Answer = "sent" | "throttled" | "eased";

export interface Opening {
  /** Called before anybody's answer is there. */
  readonly inFlight?: number;
  /** Who gives back what cannot go: begin, or a worker that stops. */
  readonly by?: "begin" | "worker";
  /** By how many were called before at this opening. Else one recipient is throttled, and the others are sent. */
  readonly answer?: (called: number) => Answer;
}

/** Ten a second; whoever is called is told by a name: the account's, or the sender's where one is given. */
export const aChannel = async (stage: Stage) => {
  const names = new Map<string, string>();
  const refused = new Set<string>();
  await stage.channel("sms", { interval: milliseconds(EVERY) });

  const put = async (name: string, count: number, more: PutOptions & { account?: string } = {}): Promise<void> => {
    const sender = more.account === undefined ? "+15550001111" : name;
    const ids = await stage.put(more.account ?? name, count, { channel: "sms", sender, ...more });
    for (const id of ids) {
      names.set(id, name);
      if (more.recipient === REFUSED.recipient) refused.add(id);
    }
  };

  const open = async ({ inFlight = 1, by = "begin", answer }: Opening = {}): Promise<string[]> => {
    await stage.at(stage.now() + CLOSED_FOR);
    const pairs = await stage.released("sms");
    const called: string[] = [];
    while (pairs.length > 0) {
      const some = pairs.splice(0, inFlight);
      const begun = await stage.begin(some);
      let isClosed = false;
      for (const pair of some.filter((_, i) => begun[i]?.kind === "go")) {
        const said = answer ? answer(called.length) : refused.has(pair.id) ? "throttled" : "sent";
        called.push(names.get(pair.id) ?? "");
        isClosed ||= said !== "sent";
        if (said === "throttled") await stage.settle([pair], "later", { delay: CLOSE.for, close: CLOSE });
        else await stage.settle([pair], "sent", { close: said === "eased" ? CLOSE : null });
      }
      if (isClosed && by === "worker") await stage.unrelease(pairs.splice(0));
      if (!isClosed) await stage.at(stage.now() + inFlight * EVERY);
    }
    return called;
  };

  /** Opens the channel until `name` is called: how often. */
  const openingsUntil = async (name: string, how?: Opening): Promise<number> => {
    for (let openings = 1; openings <= 60; openings++) if ((await open(how)).includes(name)) return openings;
    return Infinity;
  };

  /** Who is called at so many openings. */
  const calledAt = async (openings: number, how?: Opening): Promise<string[]> => {
    const called: string[] = [];
    for (let n = 0; n < openings; n++) called.push(...(await open(how)));
    return called;
  };

  return { put, open, openingsUntil, calledAt };
};
