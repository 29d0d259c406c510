/** Short-lived access tokens in the place of the API key: one exchange or refresh in flight, however many calls wait for it. */
import { type Clock, type Millis, type MonotonicMillis, seconds } from "../domain/time.ts";
import type { Answered, Ask, Credentials } from "./asking.ts";
import { SluiceFailure } from "./failure.ts";
import { orAborted } from "./waiting.ts";

interface Grant {
  readonly accessToken: string;
  /** Null when the server gave none: then the API key is shown again. */
  readonly refreshToken: string | null;
  readonly goodUntil: MonotonicMillis;
}

/** Renewed this long before it expires, or after nine tenths of its life if that is shorter: it must outlive its way. */
const MARGIN = seconds(30);

const grantOf = ({ answer: { body, ...answer }, attempts }: Answered, now: MonotonicMillis): Grant => {
  const fields = (typeof body === "object" && body !== null ? body : {}) as Readonly<Record<string, unknown>>;
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn } = fields;
  if (typeof accessToken !== "string" || typeof expiresIn !== "number" || !(expiresIn > 0))
    throw new SluiceFailure("expected an access token and its expires_in, got something else", {
      code: "unreadable_answer",
      attempts,
      requestId: answer.headers.get("x-request-id"),
      // Without its body: there may be a token in it.
      answer: { ...answer, body: null },
    });
  const life: Millis = seconds(expiresIn);
  return {
    accessToken,
    refreshToken: typeof refreshToken === "string" ? refreshToken : null,
    goodUntil: (now + life - Math.min(MARGIN, life / 10)) as MonotonicMillis,
  };
};

/** The refresh token is spent, revoked or expired: the API key begins a new family. */
const isDead = (error: unknown): boolean =>
  error instanceof SluiceFailure && [400, 401, 403, 422].includes(error.status ?? 0);

const showing = (authorization: string | null): Credentials => ({
  authorization: async () => authorization,
  refused: () => false,
});

export const keyCredentials = (apiKey: string): Credentials => showing(`Bearer ${apiKey}`);
const NOTHING = showing(null);

export const tokenCredentials = (apiKey: string, ask: Ask, clock: Pick<Clock, "monotonic">): Credentials => {
  let grant: Grant | null = null;
  let underway: Promise<Grant> | null = null;

  // No caller's signal: whoever gives up does not take the token from the others.
  const granted = async (path: string, credentials: Credentials, body: object): Promise<Grant> => {
    const answered = await ask({ operation: `POST ${path}`, path, ...body }, credentials, undefined);
    return grantOf(answered, clock.monotonic());
  };
  const exchanged = (): Promise<Grant> => granted("/v1/auth/token", keyCredentials(apiKey), {});
  // Its answer lost, it is shown again within seconds: the server allows for that.
  const refreshed = (refreshToken: string): Promise<Grant> =>
    granted("/v1/auth/refresh", NOTHING, { body: { refresh_token: refreshToken } });

  const renew = async (): Promise<Grant> => {
    const { refreshToken = null } = grant ?? {};
    if (refreshToken === null) return exchanged();
    return refreshed(refreshToken).catch((error: unknown) => {
      if (isDead(error)) return exchanged();
      throw error;
    });
  };

  const current = async (): Promise<Grant> => {
    if (grant !== null && clock.monotonic() < grant.goodUntil) return grant;
    underway ??= renew()
      .then((renewed) => (grant = renewed))
      .finally(() => {
        underway = null;
      });
    return underway;
  };

  return {
    authorization: async (signal) => `Bearer ${(await orAborted(current(), signal)).accessToken}`,
    refused: (authorization) => {
      // Another call may have been told the same of it, and may have renewed it by now.
      if (grant !== null && authorization === `Bearer ${grant.accessToken}`)
        grant = { ...grant, goodUntil: Number.NEGATIVE_INFINITY as MonotonicMillis };
      return true;
    },
  };
};
