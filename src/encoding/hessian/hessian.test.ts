// The two dialects, value by value. There are no captured vectors of the final one: its bytes below are made by hand
// from the specification (hessian.caucho.com/doc/hessian-serialization.html).

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readVectors } from "../../../test/vectors/goldenVectors.ts";
import { bytesOf, codeOf, DIALECTS, written } from "../../../test/vectors/hessianBytes.ts";
import { stringOf, textOf } from "../../base/text.ts";
import { HessianReader } from "./reader.ts";
import { listShape, ShapeTable } from "./shape.ts";
import type { HessianDialect } from "./tokenReader.ts";
import { type HessianTree, readTree } from "./tree.ts";
import type { HessianWriter } from "./writer.ts";

const FINAL_VALUES: readonly (readonly [string, Uint8Array, HessianTree])[] = [
  ["the empty string", bytesOf(0x00), ""],
  ["a short string", bytesOf(0x05, "hello"), "hello"],
  ["a string of 300 units: 0x30 + 1, 0x2c", bytesOf(0x31, 0x2c, "x".repeat(300)), "x".repeat(300)],
  ["a string of 1024 units: S", bytesOf("S", 4, 0, "y".repeat(1024)), "y".repeat(1024)],
  ["a string in two chunks: R, then a short one", bytesOf("R", 0, 2, "ab", 0x01, "c"), "abc"],
  [
    "ints of one, two, three and five bytes",
    bytesOf("X", 0x94, 0x90, 0xcf, 0xff, 0xd4, 8, 0, "I", 0, 4, 0, 0),
    list(0, 2047, 2048, 262144),
  ],
  [
    "longs of one to nine bytes",
    bytesOf("X", 0x95, 0xe0, 0xf8, 16, 0x3c, 8, 0, 0x59, 0, 4, 0, 0, "L", [0, 0, 0, 0, 128, 0, 0, 0]),
    list(0n, 16n, 2048n, 262144n, 2147483648n),
  ],
  [
    "doubles: 0, 1, a byte, a short, thousandths",
    bytesOf("X", 0x95, 0x5b, 0x5c, 0x5d, 0xfe, 0x5e, 1, 0, 0x5f, 0, 0, 0x0c, 0xb2),
    list(0, 1, -2, 256, 3.25),
  ],
  [
    "a date in milliseconds",
    bytesOf(0x4a, 0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0x7b),
    { kind: "date", ms: 1700000000123n },
  ],
  ["a date in minutes", bytesOf(0x4b, 0, 0, 0, 2), { kind: "date", ms: 120_000n }],
  [
    "bytes: short, 0x34 and B",
    bytesOf(0x7b, 0x21, 9, 0x34, 1, 8, "B", 0, 1, 7),
    list(Uint8Array.of(9), Uint8Array.of(8), Uint8Array.of(7)),
  ],
  ["bytes in two chunks: A, then a short one", bytesOf("A", 0, 1, 1, 0x21, 2), Uint8Array.of(1, 2)],
  ["a list with an end", bytesOf(0x57, 0x91, "TFN", "Z"), list(1, true, false, null)],
  ["a typed list with an end", bytesOf(0x55, 0x01, "t", 0x91, "Z"), typed("t", 1)],
  [
    "typed lists: a name, then its index",
    bytesOf(0x7a, 0x71, 0x01, "t", 0x91, "V", 0x90, 0x91, 0x92),
    list(typed("t", 1), typed("t", 2)),
  ],
  ["an untyped map", bytesOf("H", 0x01, "k", 0x91, "Z"), { kind: "map", typeName: "", entries: [["k", 1]] }],
  ["a typed map", bytesOf("M", 0x01, "m", "Z"), { kind: "map", typeName: "m", entries: [] }],
  [
    "an object: C name fields, 0x60; and O with an index",
    bytesOf(0x7a, "C", 0x01, "P", 0x91, 0x01, "x", 0x60, 0x95, "O", 0x90, 0x96),
    list(point(5), point(6)),
  ],
  [
    "a reference: Q",
    bytesOf(0x7a, 0x78, 0x51, 0x91),
    list({ kind: "list", typeName: "", elements: [] }, { kind: "ref", index: 1 }),
  ],
];

function list(...elements: readonly HessianTree[]): HessianTree {
  return { kind: "list", typeName: "", elements };
}

function typed(typeName: string, ...elements: readonly HessianTree[]): HessianTree {
  return { kind: "list", typeName, elements };
}

function point(x: number): HessianTree {
  return { kind: "object", className: "P", fields: [["x", x]] };
}

for (const [what, bytes, tree] of FINAL_VALUES) {
  test(`final dialect: ${what}`, () => {
    assert.deepEqual(readTree("final", bytes), tree);
  });
}

const scalar = fc.oneof(
  fc.integer().map((value) => ({ value, write: (writer: HessianWriter) => writer.int(value) })),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((value) => ({ value, write: (w: HessianWriter) => w.long(value) })),
  fc.double({ noNaN: true }).map((value) => ({ value, write: (writer: HessianWriter) => writer.double(value) })),
  fc.boolean().map((value) => ({ value, write: (writer: HessianWriter) => writer.boolean(value) })),
  fc.uint8Array().map((value) => ({ value, write: (writer: HessianWriter) => writer.bytes(value) })),
  fc.string({ unit: "binary" }).map((value) => ({ value, write: (writer: HessianWriter) => writer.string(value) })),
);

test("scalars are read as they were written", () => {
  fc.assert(
    fc.property(fc.constantFrom(...DIALECTS), scalar, (dialect, { value, write }) => {
      assert.deepEqual(readTree(dialect, written(dialect, write)), value);
    }),
    { numRuns: 500 },
  );
});

// Any UTF-16 units: lone surrogates and pairs included, and long enough for chunks.
const units = fc.array(fc.constantFrom("a", "é", "中", "\ud83d", "\ude00", "😀", "\u0000", "\ufeff"), {
  maxLength: 20,
});
const anyString = fc.tuple(units, fc.constantFrom(0, 5, 1023, 32_760, 70_000)).map(([tail, pad]) => {
  return "p".repeat(pad) + tail.join("");
});

test("strings and texts are written alike and read alike, whatever their units", () => {
  fc.assert(
    fc.property(fc.constantFrom(...DIALECTS), anyString, (dialect, value) => {
      const content = written(dialect, (writer) => writer.string(value));
      assert.deepEqual(
        written(dialect, (writer) => writer.text(textOf(value))),
        content,
      );
      assert.equal(readTree(dialect, content), value);
      const boxed = boxOf(dialect, value);
      assert.deepEqual(boxed, textOf(value));
      assert.equal(stringOf(boxed), value);
    }),
    { numRuns: 100 },
  );
});

const TEXTS = listShape((reader) => reader.text());
const NO_CLASSES = new ShapeTable([], [], []);

function boxOf(dialect: HessianDialect, value: string): ReturnType<typeof textOf> {
  const content = written(dialect, (writer) => {
    writer.beginList(1);
    writer.string(value);
    writer.endList();
  });
  const [text] = new HessianReader(dialect, content, NO_CLASSES).whole(TEXTS);
  assert.ok(text !== undefined && text !== null);
  return text;
}

test("a plain ASCII text is a view of the content", () => {
  const content = bytesOf("V", "n", 1, 0x03, "abc", "z");
  const [text] = new HessianReader("draft", content, NO_CLASSES).whole(TEXTS);
  assert.equal(text?.utf8.buffer, content.buffer);
});

test("wrong UTF-8 is refused: four-byte, overlong and broken characters", () => {
  for (const bytes of [[0xf0, 0x9f, 0x98, 0x80], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0x80], [0xc3, 0x28], [0xc3]]) {
    assert.equal(
      codeOf(() => readTree("draft", bytesOf(bytes.length > 2 ? 2 : 1, bytes))),
      "HESSIAN_MALFORMED",
    );
  }
});

test("whatever the bytes, a reader gives a tree or a RegistryError", () => {
  const golden = readVectors("h-")
    .map(({ bytes }) => bytes)
    .filter((bytes) => bytes.length < 5_000);
  const made = FINAL_VALUES.map(([, bytes]) => bytes).filter((bytes) => bytes.length < 5_000);
  const mutation = fc.tuple(
    fc.constantFrom(...golden, ...made),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    mutation.map(([content, changes]) => {
      const copy = content.slice();
      for (const [at, value] of changes) copy[at % copy.length] = value;
      return copy;
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...DIALECTS), bytes, (dialect, content) => {
      codeOf(() => readTree(dialect, content));
    }),
    { numRuns: 5_000 },
  );
});
