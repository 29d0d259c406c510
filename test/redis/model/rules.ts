import { BEGINNING } from "./rules-begin.ts";
import { COUNTING } from "./rules-counting.ts";
import { FAIR } from "./rules-fair.ts";
import { LANES } from "./rules-lanes.ts";
import { OPENINGS } from "./rules-openings.ts";
import { PARCELS } from "./rules-parcels.ts";
import { RELEASING } from "./rules-release.ts";
import { RINGS } from "./rules-rings.ts";
import { ROWS } from "./rules-rows.ts";
import { SETTLING } from "./rules-settle.ts";
import { UNCERTAIN } from "./rules-uncertain.ts";
import { UNSERVED } from "./rules-unserved.ts";
import { TURNS } from "./rules-turns.ts";
import type { Rule } from "./rule.ts";

export const RULES: readonly Rule[] = [
  ...COUNTING,
  ...ROWS,
  ...BEGINNING,
  ...SETTLING,
  ...UNCERTAIN,
  ...RELEASING,
  ...UNSERVED,
  ...PARCELS,
  ...RINGS,
  ...FAIR,
  ...TURNS,
  ...OPENINGS,
  ...LANES,
];
