import assert from "node:assert/strict";
import { test } from "node:test";
import { Latencies } from "./latencies.ts";

test("percentiles are at most 2 % above the true ones, and never above the largest", () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 1_000; ms++) latencies.add(ms);
  const { count, p50Ms, p90Ms, p99Ms, maxMs } = latencies.summary();
  assert.deepEqual([count, maxMs], [1_000, 1_000]);
  for (const [found, wanted] of [
    [p50Ms, 500],
    [p90Ms, 900],
    [p99Ms, 990],
  ] as const) {
    assert.ok(found !== null && found >= wanted && found <= wanted * 1.021, `${found} for ${wanted}`);
  }
});

test("one latency is all percentiles, from a hundredth of a millisecond to hours", () => {
  for (const ms of [0, 0.01, 3, 4_999_000, 9_000_000]) {
    const latencies = new Latencies();
    latencies.add(ms);
    const { p50Ms, p99Ms, maxMs } = latencies.summary();
    assert.equal(maxMs, ms);
    assert.equal(p50Ms, p99Ms);
    assert.ok(p50Ms !== null && p50Ms <= ms, `${p50Ms} for ${ms}`);
  }
});

test("without any latency there are no percentiles", () => {
  assert.deepEqual(new Latencies().summary(), { count: 0, p50Ms: null, p90Ms: null, p99Ms: null, maxMs: null });
});
