import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pattern } from "./pattern.ts";

const atom = fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\d", "^", "$", "\\b", "\\.", "é", "😀");
const repeat = fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "*?");
const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("part"),
    fc.tuple(tie("part"), tie("pattern")).map(([one, other]) => one + other),
    fc.tuple(tie("part"), tie("pattern")).map(([one, other]) => `${one}|${other}`),
  ),
  part: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.tuple(atom, repeat).map(([one, times]) => (/^([$^]|\\b)$/.test(one) ? one : one + times)),
    fc.tuple(tie("pattern"), repeat).map(([inner, times]) => `(${inner})${times}`),
    tie("pattern").map((inner) => `(?:${inner})`),
  ),
}));
const text = fc
  .array(fc.constantFrom("a", "b", "c", "1", ".", " ", "é", "😀"), { maxLength: 7 })
  .map((all) => all.join(""));

test("a pattern matches what a regular expression matches", () => {
  fc.assert(
    fc.property(pattern, text, (source, subject) => {
      let made: Pattern;
      try {
        made = new Pattern(source);
      } catch (error) {
        return assert.match(String(error), /more than/);
      }
      assert.equal(made.test(subject), new RegExp(source, "u").test(subject));
    }),
    { numRuns: 2_000 },
  );
});

const BAD = [
  "(",
  ")",
  "(a",
  "a)",
  "*",
  "a**",
  "a|*",
  "[",
  "[a",
  "\\",
  "\\1",
  "{2}",
  "a{2",
  "a{2,1}",
  "(?=a)",
  "(?i)a",
  "[]a]",
];
for (const source of [
  ...BAD,
  "a{1000}",
  "a{170,}",
  `${"(".repeat(40)}a${")".repeat(40)}`,
  "(a{100}){100}",
  "(".repeat(100),
  "[b-a]",
  "\\p{Nothing}",
]) {
  test(`${source.slice(0, 20)} is no pattern`, () => assert.throws(() => new Pattern(source), SyntaxError));
}

const SLOW = ["(a|a)*b", "((a+))+b", "(a?a?)*b", "(a*a*a*a*a*a*a*)b", "a*a*a*a*a*a*a*a*b", "(.*)(.*)(.*)(.*)(.*)[^a]"];
for (const source of SLOW) {
  test(`${source} is soon over with a text that it almost matches`, () => {
    const made = new Pattern(source);
    assert.equal(made.test("a".repeat(512)), false);
    assert.equal(made.test(`${"a".repeat(511)}b`), true);
  });
}

const PLAIN: readonly [source: string, text: string, isMet: boolean][] = [
  ["^v[0-9]+\\.[0-9]+$", "v1.22", true],
  ["^v[0-9]+\\.[0-9]+$", "v1x22", false],
  ["(?P<name>foo|bar)-\\d+", "my bar-7", true],
  ["a}", "a}", true],
  ["", "", true],
  ["^a{169,}$", "a".repeat(169), true],
  ["^a{169,}$", "a".repeat(168), false],
  ["\\p{Lu}", "aBc", true],
  ["a.b", "a\nb", false],
];
for (const [source, subject, isMet] of PLAIN) {
  test(`${source} ${isMet ? "matches" : "does not match"} ${JSON.stringify(subject)}`, () => {
    assert.equal(new Pattern(source).test(subject), isMet);
  });
}
