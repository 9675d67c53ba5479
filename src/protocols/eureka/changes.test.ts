import assert from "node:assert/strict";
import { test } from "node:test";
import { heartbeatAnswer, metadataMerged, overridden, overrideRemoved, registered } from "./changes.ts";
import type { EurekaInstance, Status } from "./codec/instance.ts";
import { anEurekaInstance } from "./testing/instances.ts";

const NOW = 50_000;

test("a new registration gets the server's times", () => {
  const { leaseInfo, lastUpdatedTimestamp, actionType, lastDirtyTimestamp } = registered(
    undefined,
    anEurekaInstance(),
    NOW,
  );
  const { registrationTimestamp, lastRenewalTimestamp, serviceUpTimestamp } = leaseInfo;
  assert.deepEqual([registrationTimestamp, lastRenewalTimestamp, serviceUpTimestamp], [NOW, NOW, NOW]);
  assert.deepEqual([lastUpdatedTimestamp, lastDirtyTimestamp, actionType], [NOW, 990, "ADDED"]);
});

test("a registration that says nothing new changes nothing", () => {
  const listed = registered(undefined, anEurekaInstance(), NOW);
  assert.equal(registered(listed, anEurekaInstance(), NOW + 1_000), listed);
  assert.notEqual(registered(listed, anEurekaInstance({ lastDirtyTimestamp: 991 }), NOW + 1_000), listed);
});

test("a registration with an older lastDirtyTimestamp leaves what is listed", () => {
  const listed = registered(undefined, anEurekaInstance({ lastDirtyTimestamp: 2_000 }), NOW);
  const late = anEurekaInstance({ lastDirtyTimestamp: 1_999, metadata: new Map() });
  assert.equal(registered(listed, late, NOW + 1), listed);
});

/** The status after a registration as `given` where `existing` is listed. */
function statusAfter(existing: Partial<EurekaInstance>, given: Status): readonly Status[] {
  const { status, overriddenStatus } = registered(anEurekaInstance(existing), anEurekaInstance({ status: given }), NOW);
  return [status, overriddenStatus];
}

for (const [existing, given, expected] of [
  [{ status: "OUT_OF_SERVICE", overriddenStatus: "OUT_OF_SERVICE" }, "UP", ["OUT_OF_SERVICE", "OUT_OF_SERVICE"]],
  [{ status: "OUT_OF_SERVICE", overriddenStatus: "OUT_OF_SERVICE" }, "DOWN", ["DOWN", "OUT_OF_SERVICE"]],
  [{ status: "DOWN", overriddenStatus: "OUT_OF_SERVICE" }, "UP", ["OUT_OF_SERVICE", "OUT_OF_SERVICE"]],
  [{ status: "STARTING" }, "UP", ["UP", "UNKNOWN"]],
  [{ status: "UNKNOWN" }, "UP", ["UP", "UNKNOWN"]],
  [{ status: "UP" }, "OUT_OF_SERVICE", ["UP", "UNKNOWN"]],
  [{ status: "OUT_OF_SERVICE" }, "UP", ["OUT_OF_SERVICE", "UNKNOWN"]],
  [{ status: "UP" }, "DOWN", ["DOWN", "UNKNOWN"]],
] as const satisfies readonly (readonly [Partial<EurekaInstance>, Status, readonly Status[]])[]) {
  test(`where ${JSON.stringify(existing)} is listed, a registration as ${given} is ${expected.join(", by ")}`, () => {
    assert.deepEqual(statusAfter(existing, given), expected);
  });
}

test("a status that an operator sets is an override, unless it is the status already", () => {
  const listed = anEurekaInstance();
  const out = overridden(listed, { status: "OUT_OF_SERVICE", dirtyMs: 2_000, nowMs: NOW });
  assert.deepEqual(
    [out.status, out.overriddenStatus, out.actionType],
    ["OUT_OF_SERVICE", "OUT_OF_SERVICE", "MODIFIED"],
  );
  assert.deepEqual([out.lastDirtyTimestamp, out.lastUpdatedTimestamp], [2_000, NOW]);
  assert.equal(overridden(listed, { status: "UP", dirtyMs: undefined, nowMs: NOW }), listed);
});

test("an override that is taken back leaves the status of the request; without one its client registers again", () => {
  const out = overridden(anEurekaInstance(), { status: "OUT_OF_SERVICE", dirtyMs: undefined, nowMs: NOW });
  const up = overrideRemoved(out, { status: "UP", dirtyMs: undefined, nowMs: NOW });
  assert.deepEqual([up.status, up.overriddenStatus], ["UP", "UNKNOWN"]);
  const unknown = overrideRemoved(out, { status: "UNKNOWN", dirtyMs: undefined, nowMs: NOW });
  assert.equal(heartbeatAnswer(unknown, { dirtyMs: undefined, isReplication: false }), "unknown");
  assert.equal(overrideRemoved(up, { status: "DOWN", dirtyMs: undefined, nowMs: NOW }), up);
});

test("metadata is merged", () => {
  const merged = metadataMerged(
    anEurekaInstance(),
    [
      ["color", "red"],
      ["size", "9"],
    ],
    NOW,
  );
  assert.deepEqual(
    [...merged.metadata],
    [
      ["color", "red"],
      ["size", "9"],
    ],
  );
  const listed = anEurekaInstance();
  assert.equal(metadataMerged(listed, [["color", "blue"]], NOW), listed);
});

for (const [dirtyMs, isReplication, expected] of [
  [990, false, "known"],
  [undefined, false, "known"],
  [991, false, "unknown"],
  [991, true, "unknown"],
  [989, false, "known"],
  [989, true, "conflict"],
] as const) {
  test(`a heartbeat with ${dirtyMs} for 990${isReplication ? " from another server" : ""} is ${expected}`, () => {
    assert.equal(heartbeatAnswer(anEurekaInstance(), { dirtyMs, isReplication }), expected);
  });
}
