import assert from "node:assert/strict";
import { test } from "node:test";
import { recordIdOf, registrationRecord } from "./recordForm.ts";
import { keyOf, REGISTRATIONS_MAX, registration, Scene } from "./testing/scene.ts";

test("a record that a later release has changed is left alone, and its lease too", () => {
  const scene = new Scene(["s1", "s2"]);
  scene.node("s1").put(registration("a"));
  scene.run(1_000);
  const key = registrationRecord(recordIdOf(keyOf("a")));
  const value = new TextEncoder().encode('{"form":"of a later release"}');
  scene.table.commit({ conditions: [], operations: [{ kind: "put", key, value }] }, () => false);
  scene.run(1_000);
  assert.equal(scene.node("s1").keeper.find(keyOf("a")), undefined);
  assert.ok(scene.leases.has("a"), scene.asked.join());
});

test("marks of what was taken back have a bound, since each node reads them all", () => {
  const scene = new Scene(["s1"]);
  for (let at = 0; at < 2 * REGISTRATIONS_MAX; at++) {
    scene.node("s1").put(registration(`r${at}`));
    scene.run(50);
    scene.node("s1").remove(`r${at}`);
    scene.run(50);
  }
  const refused = scene.node("s1").put(registration("more"));
  const again = scene.node("s1").put(registration("r1"));
  scene.run(50);
  assert.equal(refused.answer?.kind === "failed" && refused.answer.error.code, "PERSISTENT_EXHAUSTED");
  assert.equal(again.answer?.kind, "done");
});
