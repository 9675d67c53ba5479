import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { WireText } from "../base/text.ts";
import { boxCount, boxesOf, EMPTY_PAYLOAD, equalPayloads, packPayload } from "./payload.ts";

const text = (value: string): WireText => ({ utf8: new TextEncoder().encode(value), units: value.length });
const shown = (box: WireText | null) =>
  box === null ? null : { text: new TextDecoder().decode(box.utf8), units: box.units };
const boxArbitrary = fc.option(fc.string({ unit: "grapheme", maxLength: 300 }), { nil: null });

test("whatever is packed is unpacked the same, in order", () => {
  fc.assert(
    fc.property(fc.array(boxArbitrary, { maxLength: 20 }), (values) => {
      const payload = packPayload(values.map((value) => (value === null ? null : text(value))));
      const expected = values.map((value) => (value === null ? null : { text: value, units: value.length }));
      assert.deepEqual(boxesOf(payload).map(shown), expected);
      assert.equal(boxCount(payload), values.length);
    }),
  );
});

test("a payload keeps nothing of the buffer that it was read from", () => {
  const buffer = new TextEncoder().encode("10.0.0.1:80");
  const payload = packPayload([{ utf8: buffer, units: buffer.length }]);
  buffer.fill(0);
  assert.deepEqual(boxesOf(payload).map(shown), [{ text: "10.0.0.1:80", units: 11 }]);
});

test("a text of a million characters that are not ASCII is packed whole", () => {
  const long = "é".repeat(1_000_000);
  assert.deepEqual(boxesOf(packPayload([text(long)])).map(shown), [{ text: long, units: 1_000_000 }]);
});

test("no boxes, a null box and an empty box are three different payloads", () => {
  const payloads = [packPayload([]), packPayload([null]), packPayload([text("")])];
  assert.equal(payloads[0], EMPTY_PAYLOAD);
  assert.deepEqual(payloads.map(boxCount), [0, 1, 1]);
  const [none = EMPTY_PAYLOAD, nothing = EMPTY_PAYLOAD, empty = EMPTY_PAYLOAD] = payloads;
  assert.equal(equalPayloads(none, nothing) || equalPayloads(nothing, empty), false);
});
