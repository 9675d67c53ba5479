import assert from "node:assert/strict";
import { test } from "node:test";
import { anEurekaInstance } from "../testing/instances.ts";
import { followedBy, type Word, wordJson } from "./word.ts";

const NAMED = { app: "ORDERS", instanceId: "10.0.0.1:orders:8080" };

function wordOf(action: Word["action"]): Word {
  if (action === "StatusUpdate" || action === "DeleteStatusOverride") return { ...NAMED, action, status: "DOWN" };
  return { ...NAMED, action };
}

/** The words that are left of these, in short. */
function left(...actions: readonly Word["action"][]): string {
  return actions
    .map(wordOf)
    .reduce(followedBy, [] as readonly Word[])
    .map(({ action }) => action)
    .join(" ");
}

test("of the words about an instance those are told that the last ones do not make needless", () => {
  assert.equal(left("Heartbeat", "Heartbeat"), "Heartbeat");
  assert.equal(left("Heartbeat", "Register", "Heartbeat"), "Register");
  assert.equal(left("Register", "StatusUpdate", "Heartbeat"), "Register StatusUpdate");
  assert.equal(left("StatusUpdate", "Heartbeat", "DeleteStatusOverride"), "Heartbeat DeleteStatusOverride");
  assert.equal(left("StatusUpdate", "Register"), "StatusUpdate Register");
  assert.equal(left("Register", "StatusUpdate", "Cancel"), "Cancel");
  assert.equal(left("Cancel", "Heartbeat"), "Cancel Heartbeat");
  assert.equal(left("Cancel", "Register"), "Register");
});

test("a word is told with the instance as it is now", () => {
  const instance = anEurekaInstance({ lastDirtyTimestamp: 5, status: "DOWN", overriddenStatus: "DOWN" });
  const told = (word: Word) => JSON.parse(wordJson(word, instance) ?? "");
  const named = { appName: "ORDERS", id: NAMED.instanceId };
  const state = { lastDirtyTimestamp: 5, overriddenStatus: "DOWN", status: "DOWN" };
  assert.deepEqual(told(wordOf("Heartbeat")), { ...named, action: "Heartbeat", ...state });
  const { instanceInfo, ...rest } = told(wordOf("Register"));
  assert.deepEqual(rest, { ...named, action: "Register", ...state });
  assert.equal(instanceInfo.instanceId, NAMED.instanceId);
  const update = told({ ...NAMED, action: "StatusUpdate", status: "UP" });
  assert.deepEqual(update, { ...named, action: "StatusUpdate", ...state, status: "UP" });
});

test("of an instance that is gone only its end is told", () => {
  assert.equal(wordJson(wordOf("Heartbeat"), undefined), undefined);
  assert.equal(wordJson(wordOf("Register"), undefined), undefined);
  const gone = { appName: "ORDERS", id: NAMED.instanceId, action: "Cancel" };
  assert.deepEqual(JSON.parse(wordJson(wordOf("Cancel"), undefined) ?? ""), gone);
});
