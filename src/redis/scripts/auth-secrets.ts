import { instant, type Instant, type Millis } from "../../domain/time.ts";
import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface SigningSecret {
  readonly kid: string;
  readonly secret: string;
}

export interface AuthSecrets {
  readonly refresh: string;
  /** The newest first. */
  readonly signing: readonly (SigningSecret & { readonly madeAt: Instant })[];
}

/** @param proposed what is taken where there is none yet, or none that is young enough */
export const authSecrets = async (
  scripts: ScriptRunner,
  proposed: { readonly signing: SigningSecret; readonly refresh: string },
  { oldest, still }: { readonly oldest: Millis; readonly still: Millis },
): Promise<AuthSecrets> => {
  const { signing, refresh } = proposed;
  const [kept, ...rest] = list(await scripts.run(script, [signing.kid, signing.secret, refresh, oldest, still]));
  return {
    refresh: text(kept),
    signing: Array.from({ length: rest.length / 3 }, (_, at) => ({
      kid: text(rest[3 * at]),
      madeAt: instant(number(rest[3 * at + 1])),
      secret: text(rest[3 * at + 2]),
    })),
  };
};
