import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { base64 } from "./base64.ts";

test("any bytes are the text that Node makes of them", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => assert.equal(base64(bytes), Buffer.from(bytes).toString("base64"))),
  );
});
