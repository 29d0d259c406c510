/**
 * What is broken on purpose, one at a time, and the suite that is about it. Each text stands exactly once in its file. The
 * scripts' rules are taken out in many more ways by test/redis/gate-ablation.test.ts, in every `npm test`.
 */
export interface Mutant {
  readonly about:
    | "window"
    | "zone row"
    | "worker"
    | "decision"
    | "reaper"
    | "release"
    | "settle"
    | "fencing"
    | "begin"
    | "let-in"
    | "auth";
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** What is wrong then. */
  readonly breaks: string;
}

export const SUITES: { readonly [about in Mutant["about"]]: string } = {
  window: "test/unit/window.test.ts",
  "zone row": "test/unit/zone-row.test.ts",
  worker: "test/unit/dispatch.test.ts",
  decision: "test/unit/action.test.ts",
  reaper: "test/unit/reaping.test.ts",
  release: "test/redis/gate-rules.test.ts",
  settle: "test/redis/gate-rules.test.ts",
  fencing: "test/redis/gate-rules.test.ts",
  begin: "test/redis/gate-rules.test.ts",
  "let-in": "test/redis/let-in.test.ts",
  auth: "test/http/auth.test.ts",
};

const changing =
  (about: Mutant["about"], file: string) =>
  (breaks: string, from: string, to: string): Mutant => ({ about, file, from, to, breaks });

const inWindow = changing("window", "src/domain/window.ts");
const inOffset = changing("window", "src/domain/offset.ts");
const inZoneRow = changing("zone row", "src/domain/zone-row.ts");
const inDispatch = changing("worker", "workers/dispatch.ts");
const inCalling = changing("worker", "workers/calling.ts");
const inBeginning = changing("worker", "workers/beginning.ts");
const inAction = changing("decision", "src/domain/action.ts");
const inReaping = changing("reaper", "src/gate/reaping.ts");
const inKeys = changing("let-in", "src/accounts/api-keys.ts");
const script = (about: Mutant["about"], name: string) => changing(about, `src/redis/scripts/${name}.lua`);

export const MUTANTS: readonly Mutant[] = [
  inWindow("an hour begins when UTC's does", "at - sinceFull(at + offset, HOUR)", "at - sinceFull(at, HOUR)"),
  inWindow("an hour runs on over a change of the clocks", "if (full >= from) return full;", "return full;"),
  inWindow("an hour ends after a change that ends it", "if (full < until) return full;", "return full;"),
  inWindow("an hour has no end at its own beginning", "let after = at + 1;", "let after = at;"),
  inWindow(
    "a midnight that comes twice opens a second day",
    "const wall = furthestWall(at, zone);",
    "const wall = at + stretchAt(at, zone).offset;",
  ),
  inWindow(
    "a day is 25 hours of the wall",
    "firstReaching(midnight + DAY, zone)",
    "firstReaching(midnight + DAY + HOUR, zone)",
  ),
  inWindow("a skipped midnight opens its day too early", "Math.max(from, wall - offset)", "wall - offset"),
  inWindow(
    "zones far from UTC are looked for too near",
    "const FURTHEST_OFFSET = 16 * HOUR",
    "const FURTHEST_OFFSET = 8 * HOUR",
  ),
  inWindow(
    "a month begins on its second day",
    "wall.getUTCMonth() + monthsLater, 1)",
    "wall.getUTCMonth() + monthsLater, 2)",
  ),
  inWindow("a minute ends a millisecond late", "instant(startsAt + MINUTE)", "instant(startsAt + MINUTE + 1)"),
  inOffset("the instant of a change belongs to what was before", "at < stretch.until", "at <= stretch.until"),
  inOffset("a change is put a millisecond off", "return high;", "return high + 1;"),
  inOffset("changes within a block are not looked for", "const SAMPLES = 32", "const SAMPLES = 1"),

  inZoneRow("a row knows half as far ahead", "hours(48)", "hours(24)"),
  inZoneRow("a row begins with the window after this one", "[first.startsAt, first.endsAt]", "[first.endsAt]"),
  inZoneRow("a row is taken to know days as far as hours", "Math.min(lastOf(hourList)", "Math.max(lastOf(hourList)"),

  inCalling("a provider is called after the budget", "if (clock.monotonic() > t0 + callBudget)", "if (t0 < 0)"),
  inCalling(
    "what was not called costs a try",
    'why: "not called: its time had passed", called: false',
    'why: "not called: its time had passed", called: true',
  ),
  inDispatch(
    "the reaper is not told of the attempt's time",
    "milliseconds(callBudget + attemptTimeout + policy.reapMargin)",
    "milliseconds(callBudget + policy.reapMargin)",
  ),
  changing("worker", "workers/settling.ts")(
    "an outcome is settled under another release",
    "const settlement: Settlement = { id, release, token,",
    "const settlement: Settlement = { id, release: release + 1, token,",
  ),
  inCalling(
    "an adapter that throws is taken for a refusal",
    'const NO_ANSWER: Outcome = { kind: "uncertain", why: "no answer within the time of an attempt" };',
    'const NO_ANSWER: Outcome = { kind: "permanent", why: "" };',
  ),
  inDispatch("one that is taken is sent all the same", 'case "go":', 'case "taken":\n          case "go":'),
  inDispatch("every run has the same token", "token: ours + (runs++).toString(36) }", "token: ours }"),
  inBeginning(
    "the budget counts from the first call, not from the one that was answered",
    "        t0 = clock.monotonic();\n",
    "",
  ),
  inBeginning(
    "what begin may have marked is left to the reaper",
    "unrelease(scripts, runs)",
    'unrelease(scripts, runs.map((run) => ({ ...run, token: "" })))',
  ),

  inAction(
    "what may have been sent is taken for a failure to be tried again",
    'action: "uncertain",',
    'action: "later",',
  ),
  inAction(
    "a provider's slow-down costs a try",
    'action: "later", delay: wait, tries: 0',
    'action: "later", delay: wait, tries: 1',
  ),
  inAction("there is no last try", "if (tries + 1 >= policy.tries)", "if (tries < 0)"),

  inReaping(
    "the reaper does not let workers speak first",
    "if (clock.monotonic() - wellSince < WORKERS_FIRST) return;",
    "",
  ),
  inReaping(
    "the reaper forgets that there was trouble",
    "trouble: () => {\n      wellSince = null;",
    "trouble: () => {",
  ),

  script("release", "release")(
    "a message is released though its account has no room",
    "blocked_until(ac.on_all, 1, zone, now)",
    "blocked_until(ac.on_all, 0, zone, now)",
  ),
  script("release", "lib/quota")("what is held does not count", "limit - used - (q.f.held or 0)", "limit - used"),
  script("release", "lib/quota")(
    "what a call itself releases does not count",
    "if q.room then q.room = q.room - chain.held end",
    "",
  ),
  script("release", "lib/quota")(
    "a row rolls before its own end",
    "if f[field.till] and now < f[field.till] then return true end",
    "",
  ),
  script("release", "lib/quota")(
    "what was used is forgotten where windows overlap",
    "used = f[field.used] or 0\n",
    "used = 0\n",
  ),
  script("settle", "settle")(
    "what was sent is not charged",
    "    hold(m, -1)\n    charge(m, now)\n",
    "    hold(m, -1)\n",
  ),
  script("settle", "settle")(
    "what was sent keeps its hold",
    "    hold(m, -1)\n    charge(m, now)\n",
    "    charge(m, now)\n",
  ),
  script("settle", "settle")(
    "what was given back wakes nobody",
    "if action == 'failed' or action == 'later' then wake(m) end",
    "",
  ),
  script("settle", "lib/outcomes")(
    "what is uncertain is not charged",
    "  hold(m, -1)\n  charge(m, now)\n",
    "  hold(m, -1)\n",
  ),
  script("fencing", "settle")(
    "any run may settle",
    " or x.f.token ~= token then return 'refused'",
    " then return 'refused'",
  ),
  script("fencing", "settle")("any release may settle", "if x.f.release ~= release or x.f", "if x.f"),
  script("fencing", "begin")(
    "a second run of a message is told to go",
    "if x.f.token ~= token then return { 'taken' } end",
    "",
  ),
  script("fencing", "begin")("an old release may begin", "x.f.release ~= release or (state", "(state"),
  script("fencing", "rerelease")("a message released anew keeps its number", "put(x, 'release', release + 1)", ""),
  script("begin", "begin")(
    "a lowered limit lets through what was released",
    "if blocked_until(q, 0, account.zone, now) > 0 then return 'quota' end",
    "",
  ),
  script("begin", "begin")(
    "a pause lets through what was released",
    "if ac.f.paused == 1 or rate.f.paused == 1 or account.removed then return 'paused' end",
    "",
  ),
  script("begin", "begin")(
    "what is given back keeps its hold",
    "  leave_released(m)\n  hold(m, -1)\n  put(x, 'state', 'queued')",
    "  leave_released(m)\n  put(x, 'state', 'queued')",
  ),
  script("let-in", "let-in")(
    "a request is charged under limits that were changed",
    "is_known[place] = text ~= '' and text == ARGV[arg + 1]",
    "is_known[place] = text ~= ''",
  ),
  inKeys(
    "who knows a key's id is let in",
    "const isKnown = known !== undefined && isSameDigest(known.digest, digest);",
    "const isKnown = known !== undefined;",
  ),
  changing("let-in", "src/redis/scripts/let-in.ts")(
    "every request of a call goes by the first key of it",
    "args.push(keyOf[group.places[0]!]! + 1);",
    "args.push(1);",
  ),
  changing("let-in", "src/accounts/known-key.ts")(
    "a plan's ceiling goes before the account's own",
    "firstStated(limitIn(found.apiCeiling), ofPlan.apiCeiling)",
    "firstStated(ofPlan.apiCeiling, limitIn(found.apiCeiling))",
  ),
  changing("auth", "src/http/auth.ts")(
    "a key that was revoked while a body was under way sends it",
    "if (isOld) return lookAgain(request);",
    "void [isOld, lookAgain];",
  ),
  changing("auth", "src/http/auth.ts")(
    "guesses at the operator's key are free",
    "        guesses.take(clientAddress(request.ip));\n",
    "",
  ),
];
