import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { textOf } from "../base/text.ts";
import { packInstance, takesCalls, unpackInstance } from "./instance.ts";
import { EMPTY_PAYLOAD, equalPayloads, packBoxes, packFields, textsOf } from "./payload.ts";
import { anInstance } from "./testing/instances.ts";

const GOLDEN =
  "01011231302e302e302e310a383038300a3834343308302e3508313031067a310c6e61636f73043204" +
  "61043104620502c3a904310c6e61636f73067b7d";

const string = fc.string({ unit: "binary", maxLength: 20 });
const map = fc.array(fc.tuple(string, string), { maxLength: 5 }).map((entries) => new Map(entries));
const instances = fc.record(
  {
    host: string,
    port: fc.nat(65_535),
    securePort: fc.option(fc.nat(65_535), { nil: undefined }),
    weight: fc.double({ noNaN: true, noDefaultInfinity: true }).map((weight) => weight + 0),
    isEnabled: fc.boolean(),
    isHealthy: fc.boolean(),
    isPersistent: fc.boolean(),
    zone: string,
    metadata: map,
    source: string,
    bags: map,
  },
  { noNullPrototype: true },
);

test("an instance is unpacked as it was packed", () => {
  fc.assert(
    fc.property(instances, (instance) => {
      assert.deepEqual(unpackInstance(packInstance(instance)), instance);
    }),
  );
});

test("the order of metadata and bags makes no other payload, their content does", () => {
  const packed = (...metadata: [string, string][]) =>
    packInstance(anInstance({ metadata: new Map(metadata), bags: new Map(metadata) }));
  assert.ok(equalPayloads(packed(["a", "1"], ["b", "2"]), packed(["b", "2"], ["a", "1"])));
  assert.ok(!equalPayloads(packed(["a", "1"], ["b", "2"]), packed(["a", "2"], ["b", "1"])));
});

test("what is not an instance, or not a whole one, is none", () => {
  const whole = textsOf(packInstance(anInstance({ metadata: new Map([["a", "1"]]) })));
  for (let length = 0; length < whole.length; length++) {
    assert.equal(unpackInstance(packFields(whole.slice(0, length))), undefined, `${length} fields`);
  }
  for (const size of ["", "x", "-1", "0.5", "1e9"]) {
    const fields = whole.map((field, at) => (at === 7 ? textOf(size) : field));
    assert.equal(unpackInstance(packFields(fields))?.metadata.get("a"), undefined, `${size} pairs`);
  }
  assert.equal(unpackInstance(EMPTY_PAYLOAD), undefined);
  assert.equal(unpackInstance(packBoxes([textOf("10.0.0.1:80")])), undefined);
  assert.equal(unpackInstance(Uint8Array.of(1, 2)), undefined);
});

test("fields of a later release are read over", () => {
  const instance = anInstance({ bags: new Map([["nacos", "{}"]]) });
  const fields = [...textsOf(packInstance(instance)), textOf("later"), null];
  assert.deepEqual(unpackInstance(packFields(fields)), instance);
});

test("an instance takes calls if its client wants them and says that it is well", () => {
  assert.equal(takesCalls(anInstance()), true);
  assert.equal(takesCalls(anInstance({ isEnabled: false })), false);
  assert.equal(takesCalls(anInstance({ isHealthy: false })), false);
});

test("its bytes are those that other releases store and send", () => {
  const instance = anInstance({
    ...{ securePort: 8_443, weight: 0.5, isHealthy: false, isPersistent: true, zone: "z1", source: "nacos" },
    metadata: new Map([
      ["b", "é"],
      ["a", "1"],
    ]),
    bags: new Map([["nacos", "{}"]]),
  });
  const golden = Uint8Array.from(Buffer.from(GOLDEN, "hex"));
  assert.deepEqual(packInstance(instance), golden);
  assert.deepEqual(unpackInstance(golden), instance);
});
