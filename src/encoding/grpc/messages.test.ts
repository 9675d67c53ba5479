import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RegistryError } from "../../base/errors.ts";
import { GrpcMessages, PREFIX_BYTES, putPrefix } from "./messages.ts";
import { GRPC_STATUS, grpcTrailers } from "./status.ts";

function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PREFIX_BYTES + message.length);
  putPrefix(bytes, message.length);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return [...chunks, bytes.slice(at)];
}

test("messages are the same however their bytes are cut", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 6 });
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 0, max: 2_000 })), (sent, sizes) => {
      const reader = new GrpcMessages({ messageBytesMax: 3_000 });
      const read: Uint8Array[] = [];
      for (const chunk of cut(Buffer.concat(sent.map(framed)), sizes)) {
        reader.push(chunk, (message) => void read.push(Uint8Array.from(message)));
      }
      assert.deepEqual(read, sent);
      assert.deepEqual([reader.isPartial, reader.pendingBytes], [false, 0]);
    }),
  );
});

test("a length that is only declared takes no memory", () => {
  const reader = new GrpcMessages({ messageBytesMax: 100_000_000 });
  reader.push(Uint8Array.of(0, 5, 0xf5, 0xe1, 0, 1, 2), () => assert.fail());
  assert.equal(reader.isPartial, true);
  assert.ok(reader.pendingBytes <= 1_024);
});

test("a message that is too long, or compressed, is refused with its numbers", () => {
  const codeOf = (bytes: readonly number[]) => {
    try {
      new GrpcMessages({ messageBytesMax: 10 }).push(Uint8Array.from(bytes), () => undefined);
    } catch (error) {
      assert.ok(error instanceof RegistryError);
      return error.code;
    }
    return undefined;
  };
  assert.equal(codeOf([0, 0, 0, 0, 11]), "GRPC_MESSAGE_TOO_LARGE");
  assert.equal(codeOf([0, 0xff, 0xff, 0xff, 0xff]), "GRPC_MESSAGE_TOO_LARGE");
  assert.equal(codeOf([1, 0, 0, 0, 1, 1]), "GRPC_COMPRESSED");
  assert.equal(codeOf([0, 0, 0, 0, 10]), undefined);
});

test("a status goes into trailers, its message in ASCII", () => {
  assert.deepEqual(grpcTrailers(GRPC_STATUS.OK), { "grpc-status": "0" });
  const trailers = grpcTrailers(GRPC_STATUS.UNIMPLEMENTED, "no 100% café\n");
  assert.deepEqual(trailers, { "grpc-status": "12", "grpc-message": "no 100%25 caf%C3%A9%0A" });
});
