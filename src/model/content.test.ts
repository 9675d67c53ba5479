import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringOf, textOf } from "../base/text.ts";
import { boxesOf, instancesOf } from "./content.ts";
import { packInstance } from "./instance.ts";
import { packBoxes } from "./payload.ts";
import { anInstance } from "./testing/instances.ts";

const shown = (boxes: ReturnType<typeof boxesOf>) => boxes.map((box) => (box === null ? null : stringOf(box)));

test("boxes are what their client sent, and each that is an address is an instance", () => {
  const payload = packBoxes([textOf("10.0.0.1:80?zone=a"), null, textOf("not an address"), textOf("10.0.0.2:80")]);
  assert.deepEqual(shown(boxesOf({ payload })), ["10.0.0.1:80?zone=a", null, "not an address", "10.0.0.2:80"]);
  const expected = [
    anInstance({ port: 80, source: "sofa", metadata: new Map([["zone", "a"]]) }),
    anInstance({ host: "10.0.0.2", port: 80, source: "sofa" }),
  ];
  assert.deepEqual(instancesOf({ payload }), expected);
});

test("an instance is itself, and one box if it takes calls", () => {
  const instance = anInstance({ weight: 2, metadata: new Map([["a", "1"]]) });
  assert.deepEqual(instancesOf({ payload: packInstance(instance) }), [instance]);
  const others = boxesOf({ payload: packBoxes([textOf("first")]) });
  assert.deepEqual(shown(boxesOf({ payload: packInstance(instance) }, others)), [
    "first",
    "10.0.0.1:8080?weight=200&a=1",
  ]);
  for (const state of [{ isEnabled: false }, { isHealthy: false }]) {
    assert.deepEqual(boxesOf({ payload: packInstance(anInstance(state)) }), []);
    assert.deepEqual(instancesOf({ payload: packInstance(anInstance(state)) }), [anInstance(state)]);
  }
  assert.deepEqual(boxesOf({ payload: packInstance(anInstance({ host: "a b" })) }), []);
});

test("what is known beside the content counts, in either form", () => {
  const instance = anInstance({ port: 80, source: "sofa" });
  const asBox = packBoxes([textOf("10.0.0.1:80"), textOf("not an address"), null]);
  for (const payload of [asBox, packInstance(instance)]) {
    for (const condition of [{ isHealthy: false }, { isEnabled: false, weight: 2 }]) {
      assert.deepEqual(boxesOf({ payload, condition }), []);
      assert.deepEqual(instancesOf({ payload, condition }), [{ ...instance, ...condition }]);
    }
    const condition = { weight: 0.5 };
    assert.equal(shown(boxesOf({ payload, condition }))[0], "10.0.0.1:80?weight=50");
    assert.deepEqual(instancesOf({ payload, condition }), [{ ...instance, weight: 0.5 }]);
  }
  assert.deepEqual(shown(boxesOf({ payload: asBox, condition: { weight: 0.5 } })).slice(1), ["not an address", null]);
  const notWell = packInstance(anInstance({ isHealthy: false }));
  assert.deepEqual(instancesOf({ payload: notWell, condition: { isHealthy: true } }), [anInstance()]);
});

test("an instance that takes calls is the instance of its box, whatever its metadata", () => {
  const text = fc.string({ unit: fc.constantFrom(..."aé&=%#? \n+/"), maxLength: 8 });
  const key = text.filter((name) => name !== "" && name !== "weight");
  const metadata = fc.array(fc.tuple(key, text), { maxLength: 5 }).map((entries) => new Map(entries));
  const host = fc.constantFrom("10.0.0.1", "fe80::1", "orders");
  fc.assert(
    fc.property(host, fc.nat(65_535), fc.nat(1_000), metadata, (name, port, hundredths, pairs) => {
      const instance = anInstance({ host: name, port, weight: hundredths / 100, metadata: pairs, source: "sofa" });
      const boxes = boxesOf({ payload: packInstance(instance) });
      assert.deepEqual(instancesOf({ payload: packBoxes(boxes) }), [instance]);
    }),
  );
});

test("a content of a later release is neither", () => {
  assert.deepEqual(boxesOf({ payload: Uint8Array.of(1, 2, 3) }), []);
  assert.deepEqual(instancesOf({ payload: Uint8Array.of(1, 2, 3) }), []);
});
