/** The operator's key: as the environment has it, else made once and kept in the data directory. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface AdminKey {
  readonly key: string;
  /** Made just now: it is told once. */
  readonly isNew: boolean;
}

const FILE = "admin-key";

export const adminKeyIn = async (dataDir: string): Promise<AdminKey> => {
  const file = join(dataDir, FILE);
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept.trim() !== "") return { key: kept.trim(), isNew: false };
  const key = `adm_${randomBytes(24).toString("base64url")}`;
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  return { key, isNew: true };
};
