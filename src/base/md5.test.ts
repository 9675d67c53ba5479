import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { md5 } from "./md5.ts";

test("the digest of bytes of any length is that of another implementation", () => {
  for (let length = 0; length < 300; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + length) & 0xff);
    assert.equal(md5(bytes), createHash("md5").update(bytes).digest("hex"), `${length} bytes`);
  }
  const part = new Uint8Array(1_000).fill(7).subarray(13, 700);
  assert.equal(md5(part), createHash("md5").update(part).digest("hex"));
});
