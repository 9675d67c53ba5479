import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const PROGRAMS = "test/clients/frameworks/**/{src,resources}/**/*.{java,conf}";
const MODULES = "test/clients/frameworks/*/pom.xml";
/** Where the reader's own address stands. */
const ADDRESS = 'String address = "10.0.0.1:9603";';

function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim());
}

test("each line of the guide to frameworks is one that their programs run with", () => {
  const guide = readFileSync(join(ROOT, "docs/guide/frameworks.md"), "utf8");
  const files = globSync([PROGRAMS, MODULES], { cwd: ROOT });
  const run = new Set(files.flatMap((file) => linesOf(readFileSync(join(ROOT, file), "utf8"))));
  const blocks = [...guide.matchAll(/```(?:xml|java|hocon)\n(.*?)```/gs)].flatMap(([, block = ""]) => linesOf(block));
  const lines = blocks.filter((line) => line !== "" && line !== ADDRESS);
  assert.ok(lines.length > 0);
  for (const line of lines) assert.ok(run.has(line), `"${line}" is in no program`);
});

test("the guide to frameworks names each version that is tried", () => {
  const guide = readFileSync(join(ROOT, "docs/guide/frameworks.md"), "utf8");
  for (const module of globSync(MODULES, { cwd: ROOT })) {
    const version = /-([\d.]+)\/pom\.xml$/.exec(module)?.[1];
    if (version !== undefined) assert.ok(guide.includes(version), `${module} is not named`);
  }
});
