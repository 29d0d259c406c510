/** Where this process spends its time: V8's sampling profiler, its samples summed by package and by file. */
import { Session, type Profiler } from "node:inspector/promises";
import { fileURLToPath } from "node:url";
import type { Spent } from "./redis-time.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** `ioredis`, `bullmq`, `src/redis/script.ts`, `node:net`; and V8's own: idle, garbage collector, program. */
const placeOf = ({ functionName, url }: Profiler.Profile["nodes"][number]["callFrame"]): string => {
  if (url === "") return functionName.startsWith("(") ? functionName : "native";
  if (url.startsWith("node:")) return url;
  const path = url.startsWith("file:") ? fileURLToPath(url) : url;
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules\/)/.exec(path)?.[1];
  return inPackage ?? (path.startsWith(ROOT) ? path.slice(ROOT.length) : path);
};

export interface NodeTime {
  readonly byPlace: readonly Spent[];
  readonly byFunction: readonly Spent[];
}

/** Samples are no calls: their number says nothing. */
const summed = (entries: readonly (readonly [string, number])[]): Spent[] => {
  const sums = new Map<string, number>();
  for (const [what, microseconds] of entries) sums.set(what, (sums.get(what) ?? 0) + microseconds);
  return [...sums]
    .map(([what, microseconds]) => ({ what, calls: 0, microseconds }))
    .sort((a, b) => b.microseconds - a.microseconds);
};

export const profiled = async (work: () => Promise<unknown>): Promise<NodeTime> => {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 200 });
  await session.post("Profiler.start");
  await work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const samples = (profile.samples ?? []).map((id, at) => ({
    frame: frames.get(id),
    microseconds: profile.timeDeltas?.[at] ?? 0,
  }));
  return {
    byPlace: summed(samples.map(({ frame, microseconds }) => [frame ? placeOf(frame) : "unknown", microseconds])),
    byFunction: summed(
      samples.map(({ frame, microseconds }) => [
        frame ? `${frame.functionName || "anonymous"} ${placeOf(frame)}:${frame.lineNumber + 1}` : "unknown",
        microseconds,
      ]),
    ),
  };
};
