import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "../../base/bytes.ts";
import { textOf } from "../../base/text.ts";
import { writeStringChunks, writeTextChunks } from "./stringChunks.ts";

const UNITS_PER_CHUNK = 0x8000;

type Chunk = readonly [units: number, isLast: boolean];

function stringChunks(value: string): { chunks: Chunk[]; bytes: Uint8Array } {
  const out = new ByteWriter();
  const chunks: Chunk[] = [];
  writeStringChunks(out, (...head) => chunks.push(head), value);
  return { chunks, bytes: out.done() };
}

function textChunks(value: string): { chunks: Chunk[]; bytes: Uint8Array } {
  const out = new ByteWriter();
  const chunks: Chunk[] = [];
  writeTextChunks(out, (...head) => chunks.push(head), textOf(value));
  return { chunks, bytes: out.done() };
}

const filler = "x".repeat(UNITS_PER_CHUNK - 1);
const PAIR = "\ud83d\ude00";
// The last unit of a full chunk is what follows the filler.
const CUT: readonly [what: string, value: string, units: readonly number[]][] = [
  ["a full chunk and no more", `${filler}x`, [UNITS_PER_CHUNK]],
  ["a full chunk and one unit", `${filler}xy`, [UNITS_PER_CHUNK, 1]],
  ["a pair at the end of a chunk", `${filler}${PAIR}y`, [UNITS_PER_CHUNK - 1, 3]],
  ["a pair that ends with the chunk", `${filler.slice(1)}${PAIR}y`, [UNITS_PER_CHUNK, 1]],
  ["two full chunks", `${filler}x${filler}xy`, [UNITS_PER_CHUNK, UNITS_PER_CHUNK, 1]],
];

test("a long string goes in full chunks, but for one that would end in half a pair", () => {
  for (const [what, value, units] of CUT) {
    const expected = units.map((count, at) => [count, at === units.length - 1]);
    assert.deepEqual(stringChunks(value).chunks, expected, what);
    assert.deepEqual(textChunks(value), stringChunks(value), what);
  }
});

test("a high surrogate that came alone does not end a chunk either, nor a low one's place matter", () => {
  const alone = { chunks: [UNITS_PER_CHUNK - 1, 2], value: `${filler}\ud83dy` };
  const low = { chunks: [UNITS_PER_CHUNK, 1], value: `${filler}\ude00y` };
  for (const { chunks, value } of [alone, low]) {
    assert.deepEqual(
      stringChunks(value).chunks.map(([units]) => units),
      chunks,
    );
    assert.deepEqual(textChunks(value), stringChunks(value));
  }
});
