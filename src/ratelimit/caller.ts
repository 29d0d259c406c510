/** Who asks, and for what, as far as limits are concerned. */

/** What is known of a caller. Whatever puts a request before the limiter says as much as it knows: undefined is as good as left out. */
export interface Facts {
  readonly account?: string | null | undefined;
  readonly key?: string | null | undefined;
  readonly user?: string | null | undefined;
  readonly organisation?: string | null | undefined;
  readonly profile?: string | null | undefined;
  readonly device?: string | null | undefined;
  readonly token?: string | null | undefined;
  /** The client's address, as the configured proxies tell it. */
  readonly ip?: string | null | undefined;
  /** The plan whose limits are meant; one that the policy does not name falls to its default. */
  readonly plan?: string | null | undefined;
  /** Limits of the caller's own, by the policy's layer: they take the place of the layer's rules. */
  readonly own?: { readonly [layer: string]: OwnLimit | null | undefined } | null | undefined;
}

/** Requests per window, from 1. Anything else is a mistake, and whoever asks with it is not let in. */
export interface OwnLimit {
  readonly minute?: number | null | undefined;
  readonly hour?: number | null | undefined;
  readonly day?: number | null | undefined;
}

/** Facts that a rule can count by. */
export const KEY_FACTS = ["account", "key", "user", "organisation", "profile", "device", "token", "ip"] as const;
export type KeyFact = (typeof KEY_FACTS)[number];

export interface RouteRequest {
  readonly facts: Facts;
  readonly method: string;
  /** The pattern that the router matched, never the path as it came. Null: a route that nobody knows. */
  readonly route: string | null;
  readonly query?: unknown;
  readonly params?: unknown;
  readonly body?: unknown;
}

/** Something that is limited and is no HTTP request, such as a message published over MQTT. */
export interface ActionRequest {
  readonly facts: Facts;
  readonly action: string;
}

export type LimitRequest = RouteRequest | ActionRequest;
