import type { Scope, WindowKind } from "../../domain/quota.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** Absolute values; null lifts the limit, a kind that is not named keeps its own. */
export const setLimits = async (
  scripts: ScriptRunner,
  scope: Scope,
  limits: { readonly [kind in WindowKind]?: number | null },
): Promise<void> => {
  const channel = scope.level === "account" ? "" : scope.channel;
  const sender = scope.level === "sender" ? scope.sender : "";
  const pairs = Object.entries(limits).flatMap(([kind, limit]) => [kind, limit ?? "none"]);
  await scripts.run(script, [scope.level, scope.account, channel, sender, ...pairs]);
};
