import assert from "node:assert/strict";
import { test } from "node:test";
import { wrapComments } from "./wrapComments.ts";

const LONG = "word ".repeat(30).trim();

test("a paragraph with a line that is too long is set anew", () => {
  const wrapped = wrapComments(`a;\n  // ${LONG}\n  // end.\nb;`).split("\n");
  assert.equal(wrapped.length, 4);
  assert.ok(wrapped.every((line) => line.length <= 120));
  assert.ok(wrapped[2]?.endsWith("word end."));
});

test("a long doc comment of one line becomes one of several", () => {
  const wrapped = wrapComments(`  /** ${LONG} */\n  a;`).split("\n");
  assert.equal(wrapped[0], "  /**");
  assert.ok(wrapped.slice(1, 3).every((line) => line.startsWith("   * word") && line.length <= 120));
  assert.deepEqual(wrapped.slice(3), ["   */", "  a;"]);
});

test("what fits stays as it was written", () => {
  const text = "// one\n// two\n//   table\n/** short */\n/**\n * a\n * b\n */\n";
  assert.equal(wrapComments(text), text);
});

test("a list beside a long paragraph stays a list", () => {
  const wrapped = wrapComments(`// ${LONG}\n// - one\n// - two`);
  assert.ok(wrapped.endsWith("\n// - one\n// - two"));
});

test("a single word that is longer than a line is left whole", () => {
  const text = `// ${"x".repeat(200)}`;
  assert.equal(wrapComments(text), text);
});
