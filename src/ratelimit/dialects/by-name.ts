import type { Dialect } from "../dialect.ts";
import { ipto } from "./ipto.ts";
import { migosmtp, telnxo } from "./migosmtp.ts";
import { mojeeb } from "./mojeeb.ts";
import { monogoto } from "./monogoto.ts";
import { sluice } from "./sluice.ts";
import { tagoio } from "./tagoio.ts";

export const DIALECTS: readonly Dialect[] = [sluice, migosmtp, telnxo, monogoto, mojeeb, ipto, tagoio];

export const dialectNamed = (name: string): Dialect | undefined => DIALECTS.find((each) => each.name === name);
