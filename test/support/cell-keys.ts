/** Every key of a world's cell, and how long it has to live (seconds; -1: for ever). */
import type { World } from "./world.ts";

export interface CellKey {
  /** Without the cell's tag. */
  readonly name: string;
  readonly ttl: number;
}

export const keysIn = async ({ core }: World): Promise<readonly CellKey[]> => {
  const { cell } = core.keys;
  const names: string[] = [];
  for (let cursor = "0", first = true; first || cursor !== "0"; first = false) {
    const [next, page] = await core.commands.scan(cursor, "MATCH", `${cell}*`, "COUNT", 1_000);
    names.push(...page);
    cursor = next;
  }
  const pipeline = core.commands.pipeline();
  const unique = [...new Set(names)];
  for (const name of unique) pipeline.ttl(name);
  const ttls = (await pipeline.exec()) ?? [];
  return unique.map((name, at) => ({ name: name.slice(cell.length), ttl: Number(ttls[at]?.[1]) }));
};
