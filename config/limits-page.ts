/**
 * The tables of docs/api-limits.md, made from the policies: `npm run docs:limits` writes them between the page's two marks,
 * and a test compares. What is around them is written by hand.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Millis } from "../src/domain/time.ts";
import type { KeyPart, Layer, OwnRule, PlanLimit, Policy, Rule } from "../src/ratelimit/policy.ts";
import { loadPolicy, policyNames } from "./policies.ts";

export const LIMITS_PAGE = fileURLToPath(new URL("../docs/api-limits.md", import.meta.url));
const [BEGIN, END] = ["<!-- made from config/policies -->", "<!-- end -->"];

type Row = readonly string[];

/** As prettier lays it out: columns as wide as their widest cell. */
const table = (head: Row, rows: readonly Row[]): string => {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column]?.length ?? 0)));
  const line = (cells: Row): string => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
};

const LENGTHS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
];

const lengthText = (length: Millis): string => {
  const named = LENGTHS.find(([ms]) => ms === length);
  return named ? named[1] : `${length / 1_000} s`;
};

const count = (limit: number | null): string => (limit === null ? "no limit" : String(limit));
const limitText = (limit: PlanLimit): string =>
  limit === null || typeof limit === "number"
    ? count(limit)
    : Object.entries(limit)
        .map(([plan, most]) => `${plan} ${count(most)}`)
        .join(", ");

const partText = (part: KeyPart): string =>
  part.map(({ from, name }) => (from === "fact" ? name : `${from}.${name}`)).join(" or ");
const keyText = (key: readonly KeyPart[]): string => key.map(partText).join(" and ");

const ruleRow = (layer: Layer, rule: Rule): Row => [
  layer.name,
  `\`${rule.name}\`${rule.shadow ? " (shadow)" : ""}`,
  [...rule.routes.map(({ text }) => text), ...rule.actions.map((action) => `${action} (no HTTP)`)]
    .map((text) => `\`${text}\``)
    .join(", "),
  keyText(rule.key),
  rule.kind,
  rule.windows.map(({ length, limit }) => `${limitText(limit)} / ${lengthText(length)}`).join("; "),
  rule.whenRedisIsAway,
];

const ownRow = (layer: Layer, own: OwnRule): Row => [
  layer.name,
  `\`${own.name}\``,
  layer.rules.length > 0
    ? "in the place of this layer's, for callers with limits of their own"
    : "all, for callers that have one",
  keyText(own.key),
  own.kind,
  `as stated / ${own.lengths.map(lengthText).join(", ")}`,
  "open",
];

const policyText = (policy: Policy): string => {
  const { name, dialect, defaultPlan, layers } = policy;
  const plan = defaultPlan === null ? "" : ` A plan that it does not name is taken for \`${defaultPlan}\`.`;
  const rows = layers.flatMap((layer) => [
    ...layer.rules.map((rule) => ruleRow(layer, rule)),
    ...(layer.own === null ? [] : [ownRow(layer, layer.own)]),
  ]);
  const head = ["layer", "rule", "routes", "counted by", "window", "requests", "without Redis"];
  const body = rows.length === 0 ? "Nothing is limited." : table(head, rows);
  return `## \`${name}\`\n\nTold in the dialect \`${dialect}\`.${plan}\n\n${body}`;
};

/** The page with its tables made anew. */
export const limitsPage = (page: string, policies: readonly Policy[]): string => {
  const [before, rest] = page.split(`${BEGIN}\n`);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`expected ${BEGIN} and ${END} in ${LIMITS_PAGE}`);
  return `${before}${BEGIN}\n\n${policies.map(policyText).join("\n\n")}\n\n${END}${after}`;
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const policies = policyNames().map((name) => loadPolicy(name));
  writeFileSync(LIMITS_PAGE, limitsPage(readFileSync(LIMITS_PAGE, "utf8"), policies));
}
