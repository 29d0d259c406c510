import {
  addWords,
  admissionsIn,
  groupsOf,
  type Admission,
  type AdmitBucket,
  type AdmitRequest,
} from "../admissions.ts";
import { list } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** Each as if it had come alone: those of one caller in their order. */
export const admitEach = async (
  scripts: ScriptRunner,
  requests: readonly AdmitRequest[],
): Promise<readonly Admission[]> => {
  const groups = groupsOf(requests);
  const args: (string | number)[] = [];
  for (const group of groups) addWords(args, group);
  return admissionsIn(groups, list(await scripts.run(script, args)));
};

/** @param mode `look` charges nothing */
export const admit = async (
  scripts: ScriptRunner,
  mode: "take" | "look",
  buckets: readonly AdmitBucket[],
): Promise<Admission> => {
  const [admission] = await admitEach(scripts, [{ mode, buckets }]);
  if (admission === undefined) throw new TypeError("admit did not answer for its one request");
  return admission;
};
