import assert from "node:assert/strict";
import { test } from "node:test";
import { type PushFailure, retryDelayMs } from "./retryDelayMs.ts";

function delays(last: PushFailure, pushRetriesMax: number): number[] {
  const failures = Array.from({ length: 9 }, (_, at) => at + 1);
  return failures.map((count) => retryDelayMs(count, last, { pushTimeoutMs: 5_000, pushRetriesMax }));
}

test("the pauses grow by one step each, and double beyond push-retries-max, up to a minute", () => {
  assert.deepEqual(delays("refused", 3), [500, 1_000, 1_500, 3_000, 6_000, 12_000, 24_000, 48_000, 60_000]);
  assert.deepEqual(delays("timeout", 3).slice(0, 5), [5_000, 10_000, 15_000, 30_000, 60_000]);
});

test("without retries by configuration the pauses double from the first", () => {
  assert.deepEqual(delays("refused", 0).slice(0, 4), [500, 1_000, 2_000, 4_000]);
});

test("the minute holds for any number of failures", () => {
  assert.equal(retryDelayMs(10_000, "refused", { pushTimeoutMs: 5_000, pushRetriesMax: 3 }), 60_000);
});
