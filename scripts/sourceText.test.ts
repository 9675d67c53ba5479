import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOnly, commentsOnly, lineAt, withoutComments } from "./sourceText.ts";

const CASES: readonly [behaviour: string, text: string, code: string][] = [
  ["a line comment", "a; // b\nc;", "a;     \nc;"],
  ["a block comment keeps its line breaks", "a /* b\nc */ d", "a     \n     d"],
  ["a string keeps its quotes", 'a("b c")', 'a("   ")'],
  ["a quote inside a string", '"a\\"b" c', '"    " c'],
  ["two slashes inside a string", '"http://x" c', '"        " c'],
  ["a template over lines", "`a\nb` c", "` \n ` c"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is source code.
  ["a template inside a template", "`a${x(`b}`)}c` d", "`            ` d"],
  ["a regular expression with a quote", "x = /\"'`/g; y", "x = /    g; y"],
  ["a slash in a class of a regular expression", 'f(/[/"]/) + 1', "f(/    /) + 1"],
  ["a division is none", "a / b / c; // d", "a / b / c;     "],
];

for (const [behaviour, text, code] of CASES) {
  test(`masks ${behaviour}`, () => assert.equal(codeOnly(text), code));
}

test("strings stay where only comments are taken out", () => {
  assert.equal(withoutComments('import "a"; // b'), 'import "a";     ');
});

test("comments stay in their places where all else is blanked out", () => {
  assert.equal(commentsOnly('a("// b"); // c\n/* d\ne */ f'), "           // c\n/* d\ne */  ");
});

test("lines are counted from 1", () => {
  assert.equal(lineAt("a\nb\nc", 0), 1);
  assert.equal(lineAt("a\nb\nc", 4), 3);
});
