import assert from "node:assert/strict";
import { test } from "node:test";
import { LOCKOUT_ENTRIES_MAX, Lockout } from "./lockout.ts";

function failing(times: number, key = "10.0.0.7"): Lockout {
  const lockout = new Lockout();
  for (let at = 0; at < times; at++) lockout.failed([key], 0);
  return lockout;
}

test("a few slips cost nothing; after that each failure waits twice as long, five minutes at most", () => {
  assert.equal(failing(4).waitsUntilMs(["10.0.0.7"], 0), undefined);
  assert.equal(failing(5).waitsUntilMs(["10.0.0.7"], 0), 1_000);
  assert.equal(failing(6).waitsUntilMs(["10.0.0.7"], 0), 2_000);
  assert.equal(failing(50).waitsUntilMs(["10.0.0.7"], 0), 300_000);
  assert.equal(failing(5).waitsUntilMs(["10.0.0.7"], 1_000), undefined);
});

test("an address waits for all names, a name for all addresses, and others for neither", () => {
  const lockout = new Lockout();
  for (let at = 0; at < 5; at++) lockout.failed(["10.0.0.7", "user ann"], 0);
  assert.equal(lockout.waitsUntilMs(["10.0.0.8", "user ann"], 0), 1_000);
  assert.equal(lockout.waitsUntilMs(["10.0.0.7", "user bob"], 0), 1_000);
  assert.equal(lockout.waitsUntilMs(["10.0.0.8", "user bob"], 0), undefined);
});

test("a proof, and a quarter of an hour, make all good", () => {
  const lockout = failing(9);
  assert.equal(lockout.waitsUntilMs(["10.0.0.7"], 15 * 60_000), undefined);
  lockout.succeeded(["10.0.0.7"]);
  lockout.failed(["10.0.0.7"], 0);
  assert.equal(lockout.waitsUntilMs(["10.0.0.7"], 0), undefined);
});

test("a stranger with many addresses fills no memory", () => {
  const lockout = failing(9, "first");
  for (let at = 0; at < LOCKOUT_ENTRIES_MAX; at++) lockout.failed([`a${at}`], 0);
  assert.equal(lockout.waitsUntilMs(["first"], 0), undefined);
});
