import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ANY_NAME, matchesName, prefixPattern, readNamePattern } from "./namePattern.ts";

const CASES: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
  ["orders", "orders", true],
  ["orders", "orders2", false],
  ["orders*", "orders", true],
  ["orders*", "orders2", true],
  ["*orders", "my.orders", true],
  ["com.*.orders", "com.shop.orders", true],
  ["com.*.orders", "com.orders", false],
  ["a*a", "a", false],
  ["a*b*a", "aba", true],
  ["a*b*a", "aa", false],
  ["*b*b*", "ab", false],
  ["**", "anything", true],
  ["*", "", true],
  [".", "x", false],
  ["a?", "ab", false],
];

for (const [pattern, name, matches] of CASES) {
  test(`"${pattern}" ${matches ? "matches" : "does not match"} "${name}"`, () => {
    assert.equal(matchesName(name, readNamePattern(pattern)), matches);
  });
}

test("a pattern means what a regular expression with .* for each star means", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
  fc.assert(
    fc.property(text, fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 10 }), (pattern, name) => {
      const expected = new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(name);
      assert.equal(matchesName(name, readNamePattern(pattern)), expected);
    }),
  );
});

test("a prefix is taken as it is, and any name is any name", () => {
  assert.equal(matchesName("a*c", prefixPattern("a*")), true);
  assert.equal(matchesName("abc", prefixPattern("a*")), false);
  assert.equal(matchesName("abc", ANY_NAME), true);
});

test("a pattern that is too long, or has too many stars, is refused", () => {
  assert.throws(() => readNamePattern("x".repeat(1_601)), /FIELD_INVALID/);
  assert.throws(() => readNamePattern("*".repeat(17)), /FIELD_INVALID/);
  assert.equal(readNamePattern("*".repeat(16)).length, 17);
});
