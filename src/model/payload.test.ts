import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { WireText } from "../base/text.ts";
import { boxCount, EMPTY_PAYLOAD, equalPayloads, formOf, isWhole, packBoxes, packFields, textsOf } from "./payload.ts";

const text = (value: string): WireText => ({ utf8: new TextEncoder().encode(value), units: value.length });
const shown = (box: WireText | null) =>
  box === null ? null : { text: new TextDecoder().decode(box.utf8), units: box.units };
const boxArbitrary = fc.option(fc.string({ unit: "grapheme", maxLength: 300 }), { nil: null });

test("whatever is packed is unpacked the same, in order", () => {
  fc.assert(
    fc.property(fc.array(boxArbitrary, { maxLength: 20 }), (values) => {
      const payload = packBoxes(values.map((value) => (value === null ? null : text(value))));
      const expected = values.map((value) => (value === null ? null : { text: value, units: value.length }));
      assert.deepEqual(textsOf(payload).map(shown), expected);
      assert.equal(boxCount(payload), values.length);
    }),
  );
});

test("a payload keeps nothing of the buffer that it was read from", () => {
  const buffer = new TextEncoder().encode("10.0.0.1:80");
  const payload = packBoxes([{ utf8: buffer, units: buffer.length }]);
  buffer.fill(0);
  assert.deepEqual(textsOf(payload).map(shown), [{ text: "10.0.0.1:80", units: 11 }]);
});

test("a text of a million characters that are not ASCII is packed whole", () => {
  const long = "é".repeat(1_000_000);
  assert.deepEqual(textsOf(packBoxes([text(long)])).map(shown), [{ text: long, units: 1_000_000 }]);
});

test("no boxes, a null box and an empty box are three different payloads", () => {
  const payloads = [packBoxes([]), packBoxes([null]), packBoxes([text("")])];
  assert.equal(payloads[0], EMPTY_PAYLOAD);
  assert.deepEqual(payloads.map(boxCount), [0, 1, 1]);
  const [none = EMPTY_PAYLOAD, nothing = EMPTY_PAYLOAD, empty = EMPTY_PAYLOAD] = payloads;
  assert.equal(equalPayloads(none, nothing) || equalPayloads(nothing, empty), false);
});

test("fields are no boxes, and boxes are no fields, whatever their texts", () => {
  const texts = [text("10.0.0.1"), null, text("é")];
  const [boxes, fields] = [packBoxes(texts), packFields(texts)];
  assert.deepEqual([formOf(boxes), formOf(fields)], ["boxes", "instance"]);
  assert.deepEqual(textsOf(fields).map(shown), textsOf(boxes).map(shown));
  assert.equal(boxCount(fields), 1);
  for (const units of [0, 1, 127, 128, 70_000]) assert.equal(formOf(packBoxes([text("é".repeat(units))])), "boxes");
  assert.equal(formOf(packBoxes([null])), "boxes");
  assert.equal(formOf(EMPTY_PAYLOAD), "boxes");
});

test("a form of a later release is kept, and none of it is read", () => {
  for (const payload of [Uint8Array.of(1), Uint8Array.of(1, 2), Uint8Array.of(1, 255, 255)]) {
    assert.equal(formOf(payload), "unknown");
    assert.deepEqual(textsOf(payload), []);
    assert.equal(boxCount(payload), 1);
  }
});

test("a payload is whole as it was packed, and never a byte shorter", () => {
  fc.assert(
    fc.property(fc.array(boxArbitrary, { minLength: 1, maxLength: 5 }), fc.boolean(), (values, isBoxes) => {
      const texts = values.map((value) => (value === null ? null : text(value)));
      const payload = isBoxes ? packBoxes(texts) : packFields(texts);
      assert.ok(isWhole(payload));
      const last = texts.at(-1);
      if (last !== null && last !== undefined && last.units > 0) assert.ok(!isWhole(payload.subarray(0, -1)));
    }),
  );
  assert.ok(isWhole(EMPTY_PAYLOAD));
  assert.ok(!isWhole(Uint8Array.of(4, 0xe9)), "a text that claims to be ASCII");
  assert.ok(!isWhole(Uint8Array.from([...new Array(150).fill(0x80), 0, 0])), "a number without an end is none");
});
