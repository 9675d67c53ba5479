import assert from "node:assert/strict";
import { test } from "node:test";
import { tempTree } from "./tempTree.ts";
import { tidy } from "./tidy.ts";

const FOLDERS = {
  "src/.keep": "",
  "scripts/.keep": "",
  "test/.keep": "",
  "bench/.keep": "",
  "docs/.keep": "",
  ".ci/.keep": "",
};

function faultsOf(path: string, text: string): string[] {
  return tidy(tempTree({ ...FOLDERS, [path]: text }));
}

const FORBIDDEN: readonly [behaviour: string, path: string, text: string, fault: string][] = [
  ["a long line", "src/a.ts", `// ${"x".repeat(118)}`, "src/a.ts:1: 121 characters"],
  ["a long file", "src/a.ts", "a;\n".repeat(501), "src/a.ts: 501 lines"],
  ["a loose end", "src/a.ts", "a;\n// TODO: later", "src/a.ts:2: loose end"],
  ["a sleep", "src/a.test.ts", "await new Promise((done) => setTimeout(done, 5));", "src/a.test.ts:1: sleep"],
  ["a sleep from a module", "scripts/a.test.ts", 'import { setTimeout } from "node:timers/promises";', "sleep"],
  ["a skipped test", "test/a.test.ts", 'test.skip("a", () => {});', "test/a.test.ts:1: test that does not run"],
  ["a test to be written", "src/a.test.ts", 'test.todo("a");', "test that does not run"],
  ["a test that is alone", "src/a.test.ts", 'test("a", { only: true }, () => {});', "test that does not run"],
  ["a rejection nobody waits for", "src/a.test.ts", "a;\n  assert.rejects(b());", "src/a.test.ts:2: rejection"],
  ["an empty catch", "src/a.ts", "try {\n  a();\n} catch {\n}", "src/a.ts:3: empty catch"],
  [
    "a catch with nothing but an excuse",
    "src/a.ts",
    "try {\n  a();\n} catch (error) {\n  // never mind\n}",
    "empty catch",
  ],
  ["a promise's empty catch", "src/a.ts", "a().catch(() => {});", "empty catch"],
  ["a plain error", "src/a.ts", 'throw new Error("no");', "src/a.ts:1: plain Error"],
  [
    "a comment about nobody",
    "src/a.ts",
    "a;\n// Closed: nobody asks any more.",
    "src/a.ts:2: comment without its subject",
  ],
  ["a sentence that begins with Who", "src/a.ts", "/** Who leads. */", "src/a.ts:1: comment without its subject"],
  ["a later sentence that begins with What", "src/a.ts", "// It ends. What\n// is left goes.", "src/a.ts:1: comment"],
  ["a path of one machine", "docs/a.md", "see\n`/home/me/roster`", "docs/a.md:2: path of one machine"],
];

for (const [behaviour, path, text, fault] of FORBIDDEN) {
  test(`finds ${behaviour}`, () => {
    const faults = faultsOf(path, text);
    assert.equal(faults.length, 1, JSON.stringify(faults));
    assert.ok(faults[0]?.includes(fault), faults[0]);
  });
}

const ALLOWED: readonly [behaviour: string, path: string, text: string][] = [
  ["a loose end with its link", "src/a.ts", "// TODO: later, https://github.com/example/roster/issues/1"],
  ["a long link", "src/a.ts", `// https://example.org/${"x".repeat(120)}`],
  ["a wait in a test of processes", "test/a.test.ts", "setTimeout(a, 5);"],
  ["forbidden words in a text", "src/a.test.ts", 'const text = "setTimeout(done) test.only catch {}";'],
  ["a plain error in a test", "src/a.test.ts", 'throw new Error("no");'],
  ["an error of our own", "src/a.ts", 'throw fail("SLOT_MOVED");'],
  ["an awaited rejection", "src/a.test.ts", "await assert.rejects(b());"],
  ["the words of a subject in code", "src/a.ts", 'const whoever = "Who is nobody";'],
  ["a subordinate clause", "src/a.ts", "// The node that leads, and what it holds."],
  ["any comment in a test", "src/a.test.ts", "// Nobody answers."],
  ["a file of 500 lines", "src/a.ts", "a;\n".repeat(500)],
  ["a URL path that looks like a folder", "src/a.ts", 'const path = "example.org/home/x";'],
];

for (const [behaviour, path, text] of ALLOWED) {
  test(`allows ${behaviour}`, () => assert.deepEqual(faultsOf(path, text), []));
}
