import { describe, expect, it } from "@jest/globals";
import { createMetrics } from "../../src/observe/metrics.ts";

describe("the metrics", () => {
  it("are told in Prometheus's format under the names the documents give", async () => {
    const metrics = createMetrics({ ofProcess: false });
    metrics.ended("email", { sent: 1, expired: 4 });
    metrics.ended("email", { sent: 2, expired: 4 });
    metrics.attempt("sms", "throttled", 1_500);
    metrics.depths("sms", { queued: 3, throttled: 8, scheduled: 1, sending: 2, released: 4 });
    metrics.held("sms", 6);
    metrics.gatePass("voice", 5);
    metrics.gatePass("voice", 0);
    metrics.script("release", 2);
    metrics.http("/v1/messages/:id", "GET", 404, 30);
    const lines = (await metrics.text()).split("\n");
    for (const line of [
      'sluice_messages_total{channel="email",outcome="sent"} 2',
      'sluice_messages_total{channel="email",outcome="expired"} 4',
      'sluice_attempt_seconds_sum{channel="sms",outcome="throttled"} 1.5',
      'sluice_attempt_seconds_count{channel="sms",outcome="throttled"} 1',
      'sluice_lane_depth{channel="sms",state="throttled"} 8',
      'sluice_lane_depth{channel="sms",state="released"} 4',
      'sluice_held{channel="sms"} 6',
      'sluice_gate_passes_total{channel="voice"} 2',
      'sluice_gate_released_total{channel="voice"} 5',
      'sluice_script_seconds_bucket{le="0.002",script="release"} 1',
      'sluice_http_seconds_count{route="/v1/messages/:id",method="GET",status="404"} 1',
    ]) {
      expect(lines).toContain(line);
    }
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it("belong to the one who made them: two in one process share nothing", async () => {
    const [one, two] = [createMetrics(), createMetrics()];
    one.ended("sms", { failed: 1 });
    expect(await one.text()).toContain('sluice_messages_total{channel="sms",outcome="failed"} 1');
    expect(await two.text()).not.toContain("sluice_messages_total{");
    expect(await two.text()).toContain("process_resident_memory_bytes");
  });
});
