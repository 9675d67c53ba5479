import assert from "node:assert/strict";
import { test } from "node:test";
import { GOLDEN_BYTES } from "./testing/goldenBytes.ts";
import { GOLDEN_MESSAGES } from "./testing/goldenMessages.ts";
import { LINKS } from "./testing/links.ts";

for (const [name, link] of Object.entries(LINKS)) {
  const messages: Record<string, unknown> = GOLDEN_MESSAGES[name as keyof typeof LINKS];
  const bytes = GOLDEN_BYTES[name as keyof typeof LINKS];

  test(`${name}: every kind has its golden bytes`, () => {
    assert.deepEqual(Object.keys(bytes), Object.keys(messages));
  });

  for (const [kind, message] of Object.entries(messages)) {
    test(`${name}: ${kind} is written and read as every release does`, () => {
      const golden = bytes[kind] ?? "";
      assert.equal(Buffer.from(link.encode(message)).toString("hex"), golden);
      assert.deepEqual(link.decode(Uint8Array.from(Buffer.from(golden, "hex"))), message);
    });
  }
}
