import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { type ErrorDetails, fail, RegistryError } from "./errors.ts";

type Part =
  | { kind: "u8" | "u16" | "u32" | "i32" | "f64"; value: number }
  | { kind: "i64"; value: bigint }
  | { kind: "bytes"; value: Uint8Array };

const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant("u8" as const), value: fc.nat(0xff) }),
  fc.record({ kind: fc.constant("u16" as const), value: fc.nat(0xffff) }),
  fc.record({ kind: fc.constant("u32" as const), value: fc.nat(0xffff_ffff) }),
  fc.record({ kind: fc.constant("i32" as const), value: fc.integer() }),
  fc.record({ kind: fc.constant("f64" as const), value: fc.double({ noNaN: true }) }),
  fc.record({ kind: fc.constant("i64" as const), value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
  fc.record({ kind: fc.constant("bytes" as const), value: fc.uint8Array({ maxLength: 40 }) }),
);

function write(writer: ByteWriter, { kind, value }: Part): void {
  if (kind === "i64") writer.i64(value);
  else if (kind === "bytes") writer.bytes(value);
  else writer[kind](value);
}

function read(reader: ByteReader, { kind, value }: Part): unknown {
  return kind === "bytes" ? Uint8Array.from(reader.view(value.length)) : reader[kind]();
}

test("what is written is read again, however often the writer had to grow", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const writer = new ByteWriter(1);
      for (const each of parts) write(writer, each);
      const reader = new ByteReader(writer.done(), malformed);
      for (const each of parts) assert.deepEqual(read(reader, each), each.value);
      assert.equal(reader.remaining, 0);
    }),
  );
});

test("a read past the end says where it was and takes nothing", () => {
  const reader = new ByteReader(Uint8Array.of(1, 2, 3), malformed);
  reader.u8();
  assert.throws(
    () => reader.u32(),
    (error) => error instanceof RegistryError && error.details["offset"] === 1,
  );
  assert.throws(() => reader.view(-1), RegistryError);
  assert.equal(reader.u16(), 0x0203);
});

function malformed(details: ErrorDetails): RegistryError {
  return fail("NODE_MESSAGE_MALFORMED", details);
}
