import assert from "node:assert/strict";
import { test } from "node:test";
import { faultsIn, planted } from "./faults.ts";

/** The text with each fault that could be planted in it. */
function faultyTexts(text: string): string[] {
  return faultsIn([{ path: "src/a.ts", text }]).map((fault) => planted(text, fault));
}

const PLANTED: readonly [text: string, ...faulty: string[]][] = [
  ["x = a < b;", "x = a <= b;"],
  ["x = a >= b;", "x = a > b;"],
  ["x = a === b;", "x = a !== b;"],
  ["x = a && b;", "x = a || b;"],
  ["x = a ?? b;", "x = ((a) && (b));"],
  ["x = a + 1;", "x = a + 0;"],
  ["x += y;", "x -= y;"],
  ["x++;", "x--;"],
  ["x = true;", "x = false;"],
  ["x = Math.min(a, b);", "x = Math.max(a, b);"],
  ["if (a) { }", "if (!(a)) { }"],
  ["if (!a) { }", "if (a) { }"],
  ["if (a === b) { }", "if (a !== b) { }"],
  ["x = a ? b : c;", "x = !(a) ? b : c;"],
  ["a.b(c);", ";"],
  ["await a.b(c);", ";"],
  ["a.b = c;", ";"],
  ["class A { b() { return this.c(); } }", "class A { b() { return undefined as never; } }"],
  ["for (const a of b) { continue; }", "for (const a of b) { ; }"],
  ["for (const a of b) { break; }", "for (const a of b) { ; }"],
];

test("each kind of fault is planted in its place", () => {
  for (const [text, ...faulty] of PLANTED) assert.deepEqual(faultyTexts(text), faulty, text);
});

const SPARED: readonly [what: string, text: string][] = [
  ["a comment", "// a < b && c.d();\n/* return this.a(); */"],
  ["a string", 'x = "a < b && true";\ny = `a === b`;'],
  ["a type", "type A = true | Map<string, false>; interface B { c: true }\nlet d: true = e as false;"],
  ["an import", 'import { a } from "./b.ts";'],
  ["an assertion", 'assert(a < b && c, "d");'],
  ["what a constructor keeps", "class A { constructor(b) { this.b = b; } }"],
  ["the end of a case", "switch (a) { case 1: break; }"],
];

test("what can't be wrong at run time, or is part of the grammar, is left alone", () => {
  for (const [what, text] of SPARED) assert.deepEqual(faultyTexts(text), [], what);
});
