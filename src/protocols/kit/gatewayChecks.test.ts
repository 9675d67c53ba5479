import assert from "node:assert/strict";
import { test } from "node:test";
import { GatewayChecks } from "./gatewayChecks.ts";

function scene() {
  const happened: string[] = [];
  const checks = new GatewayChecks(
    [
      {
        listeners: [],
        check: (nowMs) => void happened.push(`check ${nowMs}`),
        resumed: (awayMs, nowMs) => void happened.push(`away ${awayMs} at ${nowMs}`),
      },
      { listeners: [] },
    ],
    0,
  );
  const wake = (nowMs: number) => checks.step({ kind: "woken" }, nowMs);
  return { checks, wake, took: () => happened.splice(0) };
}

test("gateways are checked twice a second", () => {
  const { checks, wake, took } = scene();
  for (const nowMs of [0, 499, 500, 501, 1_000]) wake(nowMs);
  assert.deepEqual([took(), checks.nextWakeMs()], [["check 500", "check 1000"], 1_500]);
});

test("after a stop gateways hear of its time, half a second included, and are checked half a second later", () => {
  const { checks, wake, took } = scene();
  checks.resumed(501, 1_001);
  wake(1_001);
  wake(1_501);
  assert.deepEqual(took(), ["away 1001 at 1001", "check 1501"]);
});

test("the delays of a busy process put no check off", () => {
  const { checks, wake, took } = scene();
  checks.resumed(500, 1_000);
  wake(1_000);
  assert.deepEqual(took(), ["check 1000"]);
});
