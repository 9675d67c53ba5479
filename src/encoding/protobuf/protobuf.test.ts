import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RegistryError } from "../../base/errors.ts";
import { textOf } from "../../base/text.ts";
import { DEPTH_MAX, FIELDS_MAX } from "./reader.ts";
import {
  BOOL,
  BYTES,
  decodeProtobuf,
  encodeProtobuf,
  field,
  INT32,
  INT64,
  mapOf,
  optional,
  repeated,
  repeatedTexts,
  STRING,
  schema,
  TEXT,
  wrapper,
} from "./schema.ts";

const INNER = schema({ id: field(1, INT32), name: field(2, STRING) });
const OUTER = schema({
  flag: field(1, BOOL),
  small: field(2, INT32),
  large: field(3, INT64),
  name: field(4, STRING),
  text: field(5, TEXT),
  bytes: field(6, BYTES),
  inner: optional(7, INNER),
  list: repeated(8, INNER),
  map: mapOf(16, INT64),
});
const BLANK = OUTER.blank();

function codeOf(content: readonly number[]): string | undefined {
  try {
    decodeProtobuf(OUTER, Uint8Array.from(content));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    return error.code;
  }
}

test("messages are read as they were written", () => {
  const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
  // Protobuf has no lone surrogates: whole characters only.
  const string = fc.string({ unit: "binary" });
  const inner = fc.record({ id: fc.integer(), name: string }, { noNullPrototype: true });
  const outer = fc.record(
    {
      flag: fc.boolean(),
      small: fc.integer(),
      large: int64,
      name: string,
      text: string.map(textOf),
      bytes: fc.uint8Array({ maxLength: 300 }),
      inner: fc.option(inner),
      list: fc.array(inner),
      map: fc.array(fc.tuple(string, int64)).map((entries): ReadonlyMap<string, bigint> => new Map(entries)),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(outer, (message) => {
      assert.deepEqual(decodeProtobuf(OUTER, encodeProtobuf(OUTER, message)), message);
    }),
    { numRuns: 500 },
  );
});

test("defaults are not written, and what is absent has its default", () => {
  assert.equal(encodeProtobuf(OUTER, BLANK).length, 0);
  assert.deepEqual(decodeProtobuf(OUTER, new Uint8Array(0)), BLANK);
});

test("nested messages take lengths of one to three bytes", () => {
  for (const length of [0, 1, 120, 130, 16_500]) {
    const message = { ...BLANK, inner: { id: 1, name: "n".repeat(length) } };
    assert.deepEqual(decodeProtobuf(OUTER, encodeProtobuf(OUTER, message)), message);
  }
});

test("unknown fields of every wire type and known ones of the wrong type are skipped", () => {
  const unknown = [0xa0, 6, 1, 0xa1, 6, 1, 2, 3, 4, 5, 6, 7, 8, 0xa2, 6, 2, 9, 9, 0xa5, 6, 1, 2, 3, 4];
  const wrongType = [0x0a, 1, 0xff];
  assert.deepEqual(decodeProtobuf(OUTER, Uint8Array.from([...unknown, ...wrongType, 0x10, 5])), { ...BLANK, small: 5 });
});

test("a nested message that comes twice is merged, and the last of two scalars counts", () => {
  const twice = Uint8Array.from([0x3a, 2, 0x08, 5, 0x3a, 3, 0x12, 1, 0x61, 0x10, 1, 0x10, 2]);
  assert.deepEqual(decodeProtobuf(OUTER, twice), { ...BLANK, inner: { id: 5, name: "a" }, small: 2 });
});

test("an int32 is the low half of its varint", () => {
  const minusOne = [0x10, ...Array<number>(9).fill(0xff), 1];
  assert.equal(decodeProtobuf(OUTER, Uint8Array.from(minusOne)).small, -1);
});

test("what is not protobuf is refused", () => {
  const table: readonly (readonly [string, readonly number[]])[] = [
    ["field number 0", [0x00, 0]],
    ["a group", [0x0b]],
    ["the end of a group", [0x0c]],
    ["wire type 6", [0x0e]],
    ["wire type 7", [0x0f]],
    ["a varint without an end", [0x10, 0x80]],
    ["a varint of 11 bytes", [0x10, ...Array<number>(10).fill(0x80), 1]],
    ["a tag of more than 32 bits", [0xf8, 0xff, 0xff, 0xff, 0x7f, 0]],
    ["a string longer than the message", [0x22, 5, 0x61]],
    ["a length of 2^31 - 1", [0x22, 0xff, 0xff, 0xff, 0xff, 7]],
    ["a negative length", [0x22, ...Array<number>(9).fill(0xff), 1]],
    ["a string longer than its own message", [0x3a, 3, 0x12, 5, 0x61, 0x61, 0x61, 0x61, 0x61]],
    ["a varint that crosses the end of its message", [0x3a, 2, 0x08, 0x80, 1]],
    ["a fixed field cut short", [0xa1, 6, 1]],
    ["broken UTF-8 in a string", [0x22, 1, 0xff]],
    ["a surrogate in a text", [0x2a, 3, 0xed, 0xa0, 0x80]],
  ];
  for (const [what, content] of table) assert.equal(codeOf(content), "PROTOBUF_MALFORMED", what);
});

test("fields are counted and nesting has an end", () => {
  const many = new Uint8Array((FIELDS_MAX + 1) * 2).fill(1).map((_, at) => (at % 2 === 0 ? 0x10 : 1));
  assert.throws(() => decodeProtobuf(OUTER, many), { code: "PROTOBUF_LIMIT" });
  assert.equal(decodeProtobuf(OUTER, many.subarray(2)).small, 1);
  let deep = schema({ id: field(1, INT32) });
  let content = Uint8Array.of(8, 1);
  for (let level = 0; level < DEPTH_MAX + 1; level++) {
    const inner = deep;
    // Every level is a schema of its own, under one type: only the reader's count matters here.
    deep = schema({ id: field(2, INT32), inner: optional(1, inner) });
    content = Uint8Array.from([0x0a, content.length, ...content]);
  }
  assert.throws(() => decodeProtobuf(deep, content), { code: "PROTOBUF_LIMIT" });
});

test("lone surrogates, which UTF-8 can not say, become U+FFFD, and `__proto__` is a key like others", () => {
  const message = { ...BLANK, name: "a\ud800", text: textOf("b\udc00c"), map: new Map([["__proto__", 1n]]) };
  const read = decodeProtobuf(OUTER, encodeProtobuf(OUTER, message));
  assert.deepEqual(read, { ...message, name: "a\ufffd", text: textOf("b\ufffdc") });
});

test("whatever the bytes, the reader gives a message or a RegistryError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (content) => {
      codeOf([...content]);
    }),
    { numRuns: 5_000 },
  );
});

test("a long list of texts is written as any list of messages with one text", () => {
  const loop = schema({ list: repeatedTexts(15, 3), end: field(16, BOOL) });
  const plain = schema({ list: repeated(15, wrapper(3, TEXT)), end: field(16, BOOL) });
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "\ud800", "x".repeat(127), "x".repeat(128), "ä".repeat(9_000)),
  );
  fc.assert(
    fc.property(fc.array(text.map(textOf)), fc.boolean(), (list, end) => {
      const written = encodeProtobuf(loop, { list, end });
      assert.deepEqual(written, encodeProtobuf(plain, { list, end }));
      assert.deepEqual(decodeProtobuf(loop, written), decodeProtobuf(plain, written));
    }),
  );
});
