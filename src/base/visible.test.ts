import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "./errors.ts";
import { visible } from "./visible.ts";

test("what is seen as itself stays as it is, in every script", () => {
  for (const text of ["", "orders 1.0~", "Bestellungen für Zürich", "订单 😀"]) assert.equal(visible(text), text);
});

for (const [what, character] of [
  ["a control character", "\u0007"],
  ["a line feed", "\n"],
  ["the C1 character that begins a terminal's command", "\u009b"],
  ["a bidi override", "\u202e"],
  ["a bidi isolate", "\u2066"],
  ["a zero-width space", "\u200b"],
  ["a soft hyphen", "\u00ad"],
  ["a byte order mark", "\ufeff"],
  ["a line separator", "\u2028"],
  ["a paragraph separator", "\u2029"],
  ["a tag", "\u{e0041}"],
  ["half a pair", "\ud83d"],
] as const) {
  test(`${what} is written as its number, and a JSON text with it is the same value`, () => {
    const shown = visible(`a${character}b`);
    assert.match(shown, /^a(\\u[0-9a-f]{4})+b$/);
    assert.equal(JSON.parse(`"${shown}"`), `a${character}b`);
    const { message } = fail("FIELD_INVALID", { value: `a${character}b` });
    assert.ok(!message.includes(character), message);
  });
}
