import assert from "node:assert/strict";
import { test } from "node:test";
import { firstSeedOf } from "./seeds.ts";

test("all runs of a day have the same seeds, those of the next day others", () => {
  const morning = firstSeedOf(new Date("2026-11-28T00:00:00Z"));
  assert.equal(firstSeedOf(new Date("2026-11-28T23:59:59Z")), morning);
  assert.ok(firstSeedOf(new Date("2026-11-29T00:00:00Z")) >= morning + 1_000);
  assert.ok(morning > 1_000_000);
});
