import assert from "node:assert/strict";
import { test } from "node:test";
import { stringOf, textOf } from "../base/text.ts";
import { boxesOf, instancesOf } from "./content.ts";
import { packInstance } from "./instance.ts";
import { packBoxes } from "./payload.ts";
import { anInstance } from "./testing/instances.ts";

const shown = (boxes: ReturnType<typeof boxesOf>) => boxes.map((box) => (box === null ? null : stringOf(box)));

test("boxes are what their client sent, and each that is an address is an instance", () => {
  const payload = packBoxes([textOf("10.0.0.1:80?zone=a"), null, textOf("not an address"), textOf("10.0.0.2:80")]);
  assert.deepEqual(shown(boxesOf(payload)), ["10.0.0.1:80?zone=a", null, "not an address", "10.0.0.2:80"]);
  const expected = [
    anInstance({ port: 80, source: "sofa", metadata: new Map([["zone", "a"]]) }),
    anInstance({ host: "10.0.0.2", port: 80, source: "sofa" }),
  ];
  assert.deepEqual(instancesOf(payload), expected);
});

test("an instance is itself, and one box if it takes calls", () => {
  const instance = anInstance({ weight: 2, metadata: new Map([["a", "1"]]) });
  assert.deepEqual(instancesOf(packInstance(instance)), [instance]);
  const others = boxesOf(packBoxes([textOf("first")]));
  assert.deepEqual(shown(boxesOf(packInstance(instance), others)), ["first", "10.0.0.1:8080?weight=200&a=1"]);
  for (const state of [{ isEnabled: false }, { isHealthy: false }]) {
    assert.deepEqual(boxesOf(packInstance(anInstance(state))), []);
    assert.deepEqual(instancesOf(packInstance(anInstance(state))), [anInstance(state)]);
  }
  assert.deepEqual(boxesOf(packInstance(anInstance({ host: "a b" }))), []);
});

test("a content of a later release is neither", () => {
  assert.deepEqual(boxesOf(Uint8Array.of(1, 2, 3)), []);
  assert.deepEqual(instancesOf(Uint8Array.of(1, 2, 3)), []);
});
