import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DIFFERENCE_BYTES_MAX, DifferenceBase, DifferenceEncoder, decodeDifference } from "./payloadDifference.ts";

function baseOf(bytes: Uint8Array): DifferenceBase {
  const base = new DifferenceBase();
  // What stood there before must not be found.
  base.read(new Uint8Array(DIFFERENCE_BYTES_MAX).fill(7), 0, DIFFERENCE_BYTES_MAX);
  base.read(bytes, 0, bytes.length);
  return base;
}

function roundTrip(base: Uint8Array, payload: Uint8Array): { length: number; decoded: Uint8Array } {
  const encoder = new DifferenceEncoder();
  assert.equal(encoder.encode(baseOf(base), payload, encoder.bytes.length), true);
  const decoded = decodeDifference({ bytes: encoder.bytes, at: 0 }, { bytes: base, at: 0 });
  return { length: encoder.length, decoded };
}

const piece = fc.uint8Array({ maxLength: 40, max: 3 });

test("a difference leads back to the payload, whatever the base", () => {
  // Pieces of the base in any order, with others in between.
  const payload = fc.tuple(fc.array(piece, { maxLength: 8 }), fc.array(fc.tuple(fc.nat(), piece), { maxLength: 8 }));
  const property = fc.property(payload, ([pieces, order]) => {
    const base = Uint8Array.from(pieces.flatMap((bytes) => [...bytes]));
    const bytes = order.flatMap(([at, other]) => [...(pieces[at % Math.max(1, pieces.length)] ?? []), ...other]);
    const payload = Uint8Array.from(bytes);
    assert.deepEqual(roundTrip(base, payload).decoded, payload);
  });
  fc.assert(property, { numRuns: 500 });
});

test("what differs in address, port and start time is a fifth of the payload", () => {
  const url = (address: string, startMs: number): Uint8Array =>
    new TextEncoder().encode(
      `${address}?v=4.0&_SERIALIZETYPE=hessian2&_WEIGHT=100&app_name=orders&startTime=${startMs}` +
        "&_TIMEOUT=3000&zone=cell-1&_WARMUPTIME=0&_HEALTH=1&side=provider",
    );
  const { length } = roundTrip(url("10.1.2.3:12200", 1_763_800_000_000), url("10.1.113.34:12201", 1_763_812_345_678));
  assert.ok(length <= 32, `${length} bytes`);
});

test("a payload that has nothing of its base is refused", () => {
  const encoder = new DifferenceEncoder();
  const payload = Uint8Array.from({ length: DIFFERENCE_BYTES_MAX }, (_, at) => (at * at) >> 3);
  assert.equal(encoder.encode(baseOf(new Uint8Array(200)), payload, payload.length - 16), false);
});
