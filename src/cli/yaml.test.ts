import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { yamlOf } from "./yaml.ts";

// A parser that is not ours, in both versions of YAML that readers follow.
function assertReadsBack(value: unknown): void {
  const text = yamlOf(value as Parameters<typeof yamlOf>[0]);
  for (const version of ["1.2", "1.1"] as const) assert.deepEqual(parse(text, { version }), value, text);
}

test("any JSON value is read back the same", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 4 }), (value) => assertReadsBack(clean(value))),
  );
});

/** JSON has no -0. */
function clean(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

for (const text of [
  "",
  "yes",
  "NO",
  "null",
  "~",
  "1",
  "1.5",
  "0x1f",
  "1e3",
  "2026-11-29",
  "12:30:45",
  ".5",
  ".inf",
  "-",
]) {
  test(`the text "${text}" stays a text`, () => assertReadsBack([text, { [text]: text }]));
}

for (const text of [
  "a: b",
  "a #b",
  "- a",
  "#a",
  "&a",
  "*a",
  "!a",
  "%a",
  "@a",
  "`a",
  "{a",
  "[a",
  "a\nb",
  " a",
  "a ",
  "'a'",
]) {
  test(`the text ${JSON.stringify(text)} breaks nothing`, () =>
    assertReadsBack({ a: [text], [text]: { [text]: text } }));
}

test("an answer is what a person would write", () => {
  const answer = {
    items: [{ id: "d1.aaaa", leads: 3, followers: [], clientAddresses: { bolt: "10.0.0.1:9600" } }],
    next: null,
  };
  const lines = [
    "items:",
    "  - id: d1.aaaa",
    "    leads: 3",
    "    followers: []",
    "    clientAddresses:",
    '      bolt: "10.0.0.1:9600"',
    "next: null",
  ];
  assert.equal(yamlOf(answer), lines.join("\n"));
});

test("no invisible character reaches the terminal", () => {
  const value = { a: "x\u202e\u009b2J" };
  assert.doesNotMatch(yamlOf(value), /[\u202e\u009b]/);
  assertReadsBack(value);
});
