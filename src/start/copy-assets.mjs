/** After tsc: what runs and is not TypeScript (scripts, plans, pages), each to the same place below dist. */
import { cpSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

const isAsset = (file) => statSync(file).isDirectory() || !/\.m?ts$/.test(file);

for (const directory of ["src", "workers", "config"]) {
  cpSync(join(root, directory), join(root, "dist", directory), { recursive: true, filter: isAsset });
}
