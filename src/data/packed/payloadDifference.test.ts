import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DIFFERENCE_BYTES_MAX, DifferenceBase, DifferenceEncoder, decodeDifference } from "./payloadDifference.ts";

function baseOf(bytes: Uint8Array): DifferenceBase {
  const base = new DifferenceBase();
  // Earlier content must not be found.
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

const bytes = (text: string) => new TextEncoder().encode(text);

/** How many bytes the difference of these texts takes. */
const lengthOf = (base: string, payload: string) => roundTrip(bytes(base), bytes(payload)).length;

test("the form: a length, then by turns literals and copies, each with its own", () => {
  const encoder = new DifferenceEncoder();
  encoder.encode(baseOf(bytes("0123456789")), bytes("01234x6789"), 100);
  const [x] = bytes("x");
  // Ten bytes: no literals, five copied from where they are; one literal, four copied in step.
  assert.deepEqual([...encoder.bytes.subarray(0, encoder.length)], [10, 0, 5, 0, 1, x, 4, 0]);
});

test("runs of four bytes are copied, shorter ones are not", () => {
  assert.equal(lengthOf("abcd", "abcd"), 4);
  assert.equal(lengthOf("abc", "abc"), 5);
  assert.equal(lengthOf("abcdefgh", "efghabcd"), 7, "also from another place, back and forth");
  assert.equal(lengthOf("abcd", ""), 1);
});

test("of several places the one that goes on in step is copied from, else the first", () => {
  const encoder = new DifferenceEncoder();
  encoder.encode(baseOf(bytes("aaaa1aaaa2")), bytes("aaaa1aaaa2"), 100);
  assert.equal(encoder.length, 4, "one run");
  encoder.encode(baseOf(bytes("abcd.abcd")), bytes("xabcd"), 100);
  const [x] = bytes("x");
  assert.deepEqual([...encoder.bytes.subarray(0, encoder.length)], [5, 1, x, 4, 1]);
});

test("lengths and distances beyond 127 take another byte, in both directions", () => {
  const far = Array.from({ length: 300 }, (_, at) => String.fromCharCode(33 + ((at * 7) % 90))).join("");
  for (const payload of [`${far.slice(200)}${far.slice(0, 200)}`, `${far}${far.slice(150)}`]) {
    assert.deepEqual(roundTrip(bytes(far), bytes(payload)).decoded, bytes(payload));
  }
});

test("a difference of exactly so many bytes fits, one more does not", () => {
  const encoder = new DifferenceEncoder();
  const fits = (lengthMax: number) => encoder.encode(baseOf(bytes("0123456789")), bytes("01234x6789"), lengthMax);
  assert.deepEqual([fits(8), fits(7), fits(3)], [true, false, false]);
  assert.equal(encoder.encode(baseOf(bytes("0123")), bytes("xyz"), 5), true);
  assert.equal(encoder.encode(baseOf(bytes("0123")), bytes("xyz"), 4), false);
});

test("a difference and its base are read from wherever they lie", () => {
  const encoder = new DifferenceEncoder();
  const [base, payload] = [bytes("0123456789"), bytes("xx0123yy6789")];
  encoder.encode(baseOf(base), payload, 100);
  const moved = (source: Uint8Array, at: number) => ({ bytes: Uint8Array.of(...new Array(at).fill(9), ...source), at });
  const difference = moved(encoder.bytes.subarray(0, encoder.length), 3);
  assert.deepEqual(decodeDifference(difference, moved(base, 5)), payload);
});

test("a base that grows and shrinks holds what was read last, from the middle of other bytes too", () => {
  const base = new DifferenceBase();
  base.read(new Uint8Array(1_000).fill(1), 0, 1_000);
  base.read(bytes("--abcd--"), 2, 4);
  assert.equal(base.length, 4);
  assert.equal(base.find(bytes("abcd"), 0, 0), 0);
  assert.equal(base.find(bytes("xxabcd"), 2, 99), 0, "not where it was expected");
  assert.equal(base.find(new Uint8Array(4).fill(1), 0, 0), -1);
  assert.equal(base.runLength(0, bytes("abcdef"), 0), 4);
});
