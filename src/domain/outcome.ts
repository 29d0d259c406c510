import type { Millis } from "./time.ts";

/**
 * What came of an attempt. Every provider adapter answers with one of these and nothing else.
 * `why` is a sentence for the operator and the sender: no addresses, no bodies, at most 300 characters.
 */
export type Outcome =
  /** The provider took it. `providerId` is the provider's name for it ("" when it gave none). `easeFor`: little is left of
   *  the provider's limit, so nothing goes on the channel for so long, from any process. */
  | { kind: "sent"; providerId: string; easeFor?: Millis }
  /** Not now, perhaps later. `called: false` when the message was never handed over (connection refused, TLS or
   *  login failed): such an attempt costs no try. `retryIn` is the provider's own Retry-After, if it gave one. */
  | { kind: "transient"; why: string; called: boolean; retryIn?: Millis }
  /** The provider says slow down: costs no try, and closes what it is about for everybody until then. */
  | { kind: "throttled"; why: string; about: "sender" | "channel"; retryIn: Millis }
  /** Never. `suppress` when the provider says that there is nobody there: the address joins the suppressions. */
  | { kind: "permanent"; why: string; suppress?: boolean }
  /** The last byte went out and no answer came: it may have been sent. `again`: the provider knows the message by its id,
   *  and shown twice sends it once. `retryIn`: where it goes again, not sooner than the provider has asked for. */
  | { kind: "uncertain"; why: string; again?: true; retryIn?: Millis };
