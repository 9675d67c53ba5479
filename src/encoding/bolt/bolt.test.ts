import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readVector, readVectors } from "../../../test/vectors/goldenVectors.ts";
import { RegistryError } from "../../base/errors.ts";
import { BoltDecoder } from "./decoder.ts";
import { crcTrailer, encodeHeartbeat, encodeRequest, encodeRequestHead, encodeResponse } from "./encode.ts";
import { BOLT_CODEC, BOLT_V1, type BoltDialect, type BoltFrame, hasCrc } from "./frame.ts";

const FRAMES = [...readVectors("f-"), ...readVectors("r-")].map((vector) => vector.bytes);
const CRC_DIALECT: BoltDialect = { protocol: 2, version: 2, crc: true };
const REQUEST = { id: 7, codec: BOLT_CODEC.HESSIAN, timeoutMs: 1000, className: "com.example.Request" };

function decode(chunks: readonly Uint8Array[], frameBytesMax = 1 << 20): BoltFrame[] {
  const frames: BoltFrame[] = [];
  const decoder = new BoltDecoder({ frameBytesMax });
  for (const chunk of chunks) decoder.push(chunk, (frame) => frames.push(frame));
  return frames;
}

function ignore(): undefined {
  return undefined;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...new Set(cuts.map((at) => at % bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, at) => bytes.slice(ends[at - 1] ?? 0, end));
}

function refusal(bytes: Uint8Array, frameBytesMax?: number): string | undefined {
  try {
    decode([bytes], frameBytesMax);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    return error.code;
  }
}

function changed(bytes: Uint8Array, offset: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, offset);
  return copy;
}

test("frames come out the same however the stream is cut", () => {
  const stream = joined(FRAMES);
  const whole = decode([stream]);
  assert.equal(whole.length, FRAMES.length);
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 60 }), (cuts) => {
      assert.deepEqual(decode(cut(stream, cuts)), whole);
    }),
    { numRuns: 50 },
  );
  assert.deepEqual(decode(Array.from(stream, (byte) => Uint8Array.of(byte))), whole);
});

test("the content of a frame that lies whole in its chunk is a view of the chunk", () => {
  const frame = encodeRequest(BOLT_V1, { ...REQUEST, content: Uint8Array.of(1, 2, 3) });
  const chunk = joined([frame, frame]);
  const [, second] = decode([chunk]);
  assert.equal(second?.content.buffer, chunk.buffer);
});

test("a large frame in small chunks is put together with little copying", () => {
  const frame = encodeRequest(BOLT_V1, { ...REQUEST, content: new Uint8Array(8 << 20) });
  const decoder = new BoltDecoder({ frameBytesMax: 16 << 20 });
  let frames = 0;
  // Counts the bytes copied or moved each time the memory grows.
  let copiedBytes = 0;
  for (let at = 0; at < frame.length; at += 1024) {
    const before = decoder.pendingBytes;
    decoder.push(frame.slice(at, at + 1024), () => frames++);
    if (decoder.pendingBytes > before) copiedBytes += before;
  }
  assert.equal(frames, 1);
  assert.ok(copiedBytes > 0 && copiedBytes < 2 * frame.length, `${copiedBytes}`);
});

test("a frame that declares too much is refused when its head is there, and nothing is taken for it", () => {
  const head = encodeRequestHead(BOLT_V1, { ...REQUEST, contentLength: 1_000_000 });
  assert.equal(refusal(head.subarray(0, 22), 1_000_000), "BOLT_FRAME_TOO_LARGE");
  assert.equal(refusal(head.subarray(0, 21), 1_000_000), undefined);
  assert.equal(refusal(changed(head, 18, 0xff, 0xff, 0xff, 0xff), 2_000_000), "BOLT_FRAME_TOO_LARGE");
});

test("bytes that are no frame are refused at once", () => {
  const frame = encodeRequest(BOLT_V1, { ...REQUEST, content: new Uint8Array(0) });
  const table: readonly (readonly [string, Uint8Array])[] = [
    ["protocol 3", changed(frame, 0, 3).subarray(0, 1)],
    ["HTTP", new TextEncoder().encode("GET / HTTP/1.1\r\n")],
    ["type 3", changed(frame, 1, 3)],
    ["command 2 in a request", changed(frame, 2, 0, 2)],
    ["command 9", changed(frame, 2, 0, 9)],
    ["a negative class name length", changed(frame, 14, 0x80, 0)],
    ["a negative header length", changed(frame, 16, 0xff, 0xff)],
    ["a class name that is not UTF-8", changed(frame, 22, 0xff)],
    ["protocol version 3", Uint8Array.of(2, 3)],
    ["a oneway heartbeat", changed(encodeHeartbeat(BOLT_V1, 1, 1), 1, 2)],
  ];
  for (const [what, bytes] of table) assert.equal(refusal(bytes), "BOLT_MALFORMED", what);
});

test("the command version is not looked at, because the old Go client sends 0", () => {
  const frame = readVector("r-req-PublisherRegister").bytes;
  assert.equal(refusal(changed(frame, 4, 0)), undefined);
});

test("a header between class name and content is passed over", () => {
  const frame = encodeRequest(BOLT_V1, { ...REQUEST, className: "abcd", content: Uint8Array.of(9) });
  // The class name's last two bytes become the header.
  const [decoded] = decode([changed(frame, 14, 0, 2, 0, 2)]);
  assert.equal(decoded?.className, "ab");
  assert.deepEqual(decoded?.content, Uint8Array.of(9));
});

test("a damaged frame with a CRC is refused, wherever the damage is", () => {
  const { bytes } = readVector("f-req-PublisherRegister-p2v2");
  assert.equal(refusal(bytes), undefined);
  assert.equal(refusal(changed(bytes, 100, 0)), "BOLT_CRC_MISMATCH");
  assert.equal(refusal(changed(bytes, bytes.length - 1, 0)), "BOLT_CRC_MISMATCH");
});

test("a request written in parts is the same frame as one written whole", () => {
  const parts = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  for (const dialect of [BOLT_V1, CRC_DIALECT]) {
    const head = encodeRequestHead(dialect, { ...REQUEST, contentLength: 3 });
    const trailer = hasCrc(dialect) ? [crcTrailer([head, ...parts])] : [];
    const whole = encodeRequest(dialect, { ...REQUEST, content: Uint8Array.of(1, 2, 3) });
    assert.deepEqual(joined([head, ...parts, ...trailer]), whole);
  }
});

test("a decoder that threw is not used again", () => {
  const decoder = new BoltDecoder({ frameBytesMax: 1024 });
  assert.throws(() => decoder.push(Uint8Array.of(9), ignore), RegistryError);
  assert.throws(() => decoder.push(Uint8Array.of(1), ignore), /a decoder that threw/);
});

test("any frame is read as it was written", () => {
  const dialect = fc.constantFrom<BoltDialect>(BOLT_V1, CRC_DIALECT, { protocol: 2, version: 1, crc: true });
  const fields = { id: fc.integer(), codec: fc.nat(255), className: fc.string({ unit: "grapheme-ascii" }) };
  const content = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(dialect, fc.record({ ...fields, content, status: fc.nat(0xffff) }), (spoken, response) => {
      const [frame] = decode([encodeResponse(spoken, response)]);
      assert.deepEqual(frame, { dialect: spoken, command: "rpc", kind: "response", ...response });
    }),
  );
});

test("whatever arrives, the decoder gives frames or a RegistryError", () => {
  const mutated = fc.tuple(fc.constantFrom(...FRAMES), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    mutated.map(([frame, changes]) =>
      changes.reduce((sum, [at, value]) => changed(sum, at % sum.length, value), frame),
    ),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 5 }), (stream, cuts) => {
      if (stream.length === 0) return;
      try {
        decode(cut(stream, cuts));
      } catch (error) {
        assert.ok(error instanceof RegistryError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test("the beginnings of frames take what has arrived, and are free at once when their connections are", () => {
  const pieceBytes = 64 * 1024;
  const frameBytes = 4 * 1024 * 1024;
  const content = new Uint8Array(frameBytes);
  const frame = encodeRequest(BOLT_V1, { id: 1, codec: 1, timeoutMs: 1, className: "c", content });
  const beforeBytes = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 8 }, () => new BoltDecoder({ frameBytesMax: 2 * frameBytes }));
  for (const decoder of decoders) {
    for (let at = 0; at < frameBytes; at += pieceBytes)
      decoder.push(frame.subarray(at, at + pieceBytes), () => undefined);
  }
  const heldBytes = process.memoryUsage().arrayBuffers - beforeBytes;
  for (const decoder of decoders) decoder.release();
  const leftBytes = process.memoryUsage().arrayBuffers - beforeBytes;
  assert.ok(heldBytes < 8 * frameBytes * 1.1, `${heldBytes} bytes are held`);
  assert.ok(leftBytes < frameBytes, `${leftBytes} bytes are left`);
});

test("a usual frame that arrives in pieces is copied: to move a single buffer makes the process slower", (t) => {
  const frame = encodeRequest(BOLT_V1, { ...REQUEST, content: new Uint8Array(5_000) });
  const { mock } = t.mock.method(ArrayBuffer.prototype, "transfer");
  const decoder = new BoltDecoder({ frameBytesMax: 1 << 20 });
  const frames: BoltFrame[] = [];
  for (let at = 0; at < frame.length; at += 100) decoder.push(frame.subarray(at, at + 100), (one) => frames.push(one));
  decoder.push(frame.subarray(0, 1_000), (one) => frames.push(one));
  decoder.release();
  assert.equal(frames.length, 1);
  assert.equal(mock.callCount(), 0);
});
