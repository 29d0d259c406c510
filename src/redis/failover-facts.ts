/** What the cell keeps of failovers (scripts/lib/home.lua), for those who look. */
import { instant } from "../domain/time.ts";
import { formatUtc } from "../domain/timestamp.ts";
import type { Fields } from "./reply.ts";

export interface FailoverFacts {
  /** Nothing is sent until the workers have said what they know. */
  readonly held: boolean;
  /** How often Redis answered as another server than before, or with older data. */
  readonly moves: number;
  /** Of these, how often something that was acknowledged was missing. */
  readonly lost_moves: number;
  /** RFC 3339, UTC. */
  readonly last_lost_at: string | null;
  /** Messages of which something was put back. */
  readonly restored: number;
}

/** @param here the replication id of the server that answers; null: unknown */
export const failoverOf = (home: Fields, here: string | null): FailoverFacts => {
  const { at, lost_at } = home;
  const count = (field: string): number => Number(home[field] ?? 0);
  return {
    held: at !== undefined && here !== null && at !== here,
    moves: count("moves"),
    lost_moves: count("lost_moves"),
    last_lost_at: lost_at === undefined ? null : formatUtc(instant(Number(lost_at))),
    restored: count("restored"),
  };
};
