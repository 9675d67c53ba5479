import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RegistryError } from "../../base/errors.ts";
import { FrameDecoder } from "./frames.ts";
import { JuteReader } from "./reader.ts";
import { frameHead, juteBytes } from "./writer.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const malformed = (error: unknown) => error instanceof RegistryError && error.code === "JUTE_MALFORMED";

// The layouts are those of the fact sheet: sections 1 and 2.
const GOLDEN = [
  ["an int", juteBytes((w) => w.int(-2)), "fffffffe"],
  ["a long of a number", juteBytes((w) => w.long(0x1_8000_0001)), "0000000180000001"],
  ["a negative long", juteBytes((w) => w.long(-1n)), "ffffffffffffffff"],
  ["booleans", juteBytes((w) => w.bool(true).bool(false)), "0100"],
  ["a null buffer", juteBytes((w) => w.buffer(undefined)), "ffffffff"],
  ["an empty buffer", juteBytes((w) => w.buffer(new Uint8Array(0))), "00000000"],
  ["a string", juteBytes((w) => w.string("/ä")), "000000032fc3a4"],
  [
    "a vector",
    juteBytes((w) => w.vector(["a", "b"], (to, each) => to.string(each))),
    "00000002 00000001 61 00000001 62",
  ],
  ["the head of a frame", frameHead(37), "00000025"],
] as const;

for (const [name, written, hex] of GOLDEN) {
  test(`writes ${name} as ZooKeeper does`, () => assert.equal(hexOf(written), hex.replaceAll(" ", "")));
}

test("reads what was written", () => {
  const value = fc.record({
    int: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    bool: fc.boolean(),
    buffer: fc.option(fc.uint8Array(), { nil: undefined }),
    text: fc.string({ unit: "grapheme" }),
    texts: fc.array(fc.string()),
  });
  const roundTrip = ({
    int,
    long,
    bool,
    buffer,
    text,
    texts,
  }: typeof value extends fc.Arbitrary<infer T> ? T : never) => {
    const bytes = juteBytes((w) => {
      w.int(int).long(long).bool(bool).buffer(buffer).string(text);
      w.vector(texts, (to, each) => to.string(each));
    });
    const r = new JuteReader(bytes);
    assert.deepEqual([r.int(), r.long(), r.bool()], [int, long, bool]);
    assert.deepEqual(r.buffer(), buffer);
    assert.equal(r.string(), text);
    assert.deepEqual(
      r.vector(4, (from) => from.string()),
      texts,
    );
    assert.equal(r.remaining, 0);
  };
  fc.assert(fc.property(value, roundTrip));
});

test("a length that is not there is refused before anything is allocated", () => {
  assert.throws(() => new JuteReader(bytesOf("7fffffff 00")).buffer(), malformed);
  assert.throws(() => new JuteReader(bytesOf("7fffffff 00")).vector(4, (r) => r.int()), malformed);
  assert.throws(() => new JuteReader(bytesOf("fffffffe")).buffer(), malformed);
  assert.throws(() => new JuteReader(bytesOf("00")).int(), malformed);
});

test("a null string, a string that is not UTF-8 and a boolean of 2 are refused; a null vector is empty", () => {
  assert.throws(() => new JuteReader(bytesOf("ffffffff")).string(), malformed);
  assert.throws(() => new JuteReader(bytesOf("00000001 ff")).string(), malformed);
  assert.throws(() => new JuteReader(bytesOf("02")).bool(), malformed);
  assert.equal(new JuteReader(bytesOf("ffffffff")).ustring(), undefined);
  assert.deepEqual(
    new JuteReader(bytesOf("ffffffff")).vector(4, (r) => r.int()),
    [],
  );
});

test("any bytes are read or refused as malformed, by every kind of read", () => {
  const reads = ["int", "long", "bool", "buffer", "ustring", "string"] as const;
  const steps = fc.array(fc.constantFrom(...reads, "vector" as const));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), steps, (bytes, kinds) => {
      const reader = new JuteReader(bytes);
      try {
        for (const kind of kinds) kind === "vector" ? reader.vector(4, (r) => r.string()) : reader[kind]();
      } catch (error) {
        assert.ok(malformed(error), String(error));
      }
    }),
  );
});

test("frames come in any pieces, and several in one", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 20 })),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (frames, cuts) => {
        const stream = Buffer.concat(frames.flatMap((frame) => [frameHead(frame.length), frame]));
        const decoder = new FrameDecoder(100);
        const found: Uint8Array[] = [];
        let at = 0;
        for (let turn = 0; at < stream.length; turn++) {
          const length = cuts[turn % cuts.length] ?? stream.length;
          decoder.push(new Uint8Array(stream.subarray(at, at + length)));
          at += length;
          for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) found.push(frame);
        }
        assert.deepEqual(found.map(hexOf), frames.map(hexOf));
        assert.equal(decoder.pendingBytes, 0);
      },
    ),
  );
});

test("a frame that is too large or negative is refused by its head", () => {
  for (const hex of ["00000065", "ffffffff", "7fffffff"]) {
    const decoder = new FrameDecoder(100);
    decoder.push(bytesOf(hex));
    assert.throws(() => decoder.next(), /JUTE_FRAME_TOO_LARGE/);
  }
});

test("the first bytes can be looked at before they are taken", () => {
  const decoder = new FrameDecoder(100);
  decoder.push(bytesOf("7275"));
  assert.equal(decoder.peek(4), undefined);
  decoder.push(bytesOf("6f6b00"));
  assert.equal(hexOf(decoder.peek(4) ?? new Uint8Array(0)), "72756f6b");
  assert.equal(decoder.pendingBytes, 5);
});
