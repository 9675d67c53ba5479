import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { hmacSha256 } from "./hmacSha256.ts";

for (const [key, message] of [
  [0, 0],
  [20, 8],
  [64, 64],
  [65, 1_000],
  [131, 152],
] as const) {
  test(`a key of ${key} bytes and a message of ${message} have the sum that OpenSSL gives them`, () => {
    const bytes = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 31 + length) % 256);
    const expected = createHmac("sha256", bytes(key)).update(bytes(message)).digest();
    assert.deepEqual(Buffer.from(hmacSha256(bytes(key), bytes(message))), expected);
  });
}
