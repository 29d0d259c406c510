/** What Prometheus is told: numbers by channel, never by account (their number is not ours to bound). */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Channel } from "../domain/channel.ts";
import type { EndState } from "../domain/message.ts";
import type { AttemptRecord } from "../domain/message.ts";

/** Of one channel, over all accounts. */
export interface Depths {
  readonly queued: number;
  readonly throttled: number;
  readonly scheduled: number;
  readonly sending: number;
  /** Released to BullMQ and not yet begun. */
  readonly released: number;
}

export interface Metrics {
  /** Messages that have come to an end since ever, in all processes: as of now, like `depths`. */
  ended(channel: Channel, counts: { readonly [outcome in EndState]?: number }): void;
  attempt(channel: Channel, outcome: AttemptRecord["outcome"], tookMs: number): void;
  /** As of now: set just before `text`, by whoever answers the scrape. */
  depths(channel: Channel, depths: Depths): void;
  /** Claims on quotas that are not settled yet. */
  held(channel: Channel, holds: number): void;
  /** Redis as another server, or with older data: how often ever, and how often something was missing. As of now. */
  failovers(counts: { whole: number; lost: number; restored: number; held: boolean }): void;
  /** One call of the release script, and how many messages it let go. */
  gatePass(channel: Channel, released: number): void;
  script(name: string, tookMs: number): void;
  /** `route` is the pattern (`/v1/messages/:id`), never the path. */
  http(route: string, method: string, status: number, tookMs: number): void;
  /** In Prometheus's text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** From a fast local SMTP server to the longest an attempt may take. */
const ATTEMPT_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** A script holds Redis for everyone: the bound is 5 ms, and what is measured has the way there and back in it. */
const SCRIPT_SECONDS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1];
const HTTP_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A registry of its own each time: two in one process (tests, `npm start`) must not share or clash. */
export const createMetrics = ({ ofProcess = true }: { ofProcess?: boolean } = {}): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  if (ofProcess) collectDefaultMetrics({ register: registry });

  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name, help, labelNames, buckets, registers });

  const messages = counter(
    "sluice_messages_total",
    "Ends of messages over all processes; one whose end is corrected later counts under both",
    "channel",
    "outcome",
  );
  const attempts = histogram("sluice_attempt_seconds", "Attempts at a provider", ATTEMPT_SECONDS, "channel", "outcome");
  const depth = gauge("sluice_lane_depth", "Messages that have not ended", "channel", "state");
  const holds = gauge("sluice_held", "Holds on quotas, released and not settled", "channel");
  const passes = counter("sluice_gate_passes_total", "Calls of the release script", "channel");
  const released = counter("sluice_gate_released_total", "Messages the gate let go", "channel");
  const failovers = counter(
    "sluice_failovers_total",
    "Redis answered as another server, or with older data, over all processes",
    "lost",
  );
  const restored = counter("sluice_failover_restored_total", "Messages of which something was put back");
  const sendingHeld = gauge("sluice_sending_held", "1 while nothing is sent because of a failover");
  const scripts = histogram(
    "sluice_script_seconds",
    "Scripts in Redis, with the way there and back",
    SCRIPT_SECONDS,
    "script",
  );
  const requests = histogram("sluice_http_seconds", "HTTP requests", HTTP_SECONDS, "route", "method", "status");

  return {
    ended: (channel, counts) => {
      for (const [outcome, count] of Object.entries(counts)) {
        messages.remove({ channel, outcome });
        messages.inc({ channel, outcome }, count);
      }
    },
    attempt: (channel, outcome, tookMs) => attempts.observe({ channel, outcome }, tookMs / 1_000),
    depths: (channel, depths) => {
      for (const [state, count] of Object.entries(depths)) depth.set({ channel, state }, count);
    },
    held: (channel, count) => holds.set({ channel }, count),
    failovers: (now) => {
      failovers.reset();
      failovers.inc({ lost: "no" }, now.whole);
      failovers.inc({ lost: "yes" }, now.lost);
      restored.reset();
      restored.inc(now.restored);
      sendingHeld.set(now.held ? 1 : 0);
    },
    gatePass: (channel, count) => {
      passes.inc({ channel });
      released.inc({ channel }, count);
    },
    script: (script, tookMs) => scripts.observe({ script }, tookMs / 1_000),
    http: (route, method, status, tookMs) => requests.observe({ route, method, status }, tookMs / 1_000),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
};
