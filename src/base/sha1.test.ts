import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { sha1 } from "./sha1.ts";

test("a digest is the one of FIPS 180-4", () => {
  assert.equal(Buffer.from(sha1(Buffer.from("abc"))).toString("hex"), "a9993e364706816aba3e25717850c26c9cd0d89d");
});

test("any bytes have the digest that OpenSSL gives", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(Buffer.from(sha1(bytes)).toString("hex"), createHash("sha1").update(bytes).digest("hex"));
    }),
  );
});
