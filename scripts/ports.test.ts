import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempTree } from "./tempTree.ts";

const ROOT = join(import.meta.dirname, "..");
const BIOME = join(ROOT, "node_modules/.bin/biome");

// Lines that pure code must not contain: Biome must report every one of them, and no other.
const FORBIDDEN = [
  "export const a = Date.now();",
  "export const b = Date.now;",
  "export const c = new Date();",
  "export const d = Math.random();",
  "export const e = setTimeout(() => 1, 1);",
  "export const f = setInterval(() => 1, 1);",
  "export const g = setImmediate(() => 1);",
  "export const h = queueMicrotask;",
  "export const i = performance.now();",
  "export const j = process.env;",
  "export const k = globalThis.setTimeout;",
  "export const l = fetch;",
  'export const m = await import("node:http");',
];
const ALLOWED = ["export const y = new Date(5).toISOString();", "export const z = Math.max(1, 2);"];

function lint(path: string, lines: readonly string[]): string[] {
  const root = tempTree({
    [path]: `${lines.join("\n")}\n`,
    "biome.json": readFileSync(join(ROOT, "biome.json"), "utf8").replace(
      '"useIgnoreFile": true',
      '"useIgnoreFile": false',
    ),
    "scripts/ports.grit": readFileSync(join(ROOT, "scripts/ports.grit"), "utf8"),
  });
  const arguments_ = ["lint", "--reporter=github", "--max-diagnostics=100", "src"];
  const { stdout } = spawnSync(BIOME, arguments_, { cwd: root, encoding: "utf8" });
  return [...stdout.matchAll(/,line=(\d+),/g)].map(([, line]) => String(lines[Number(line) - 1]));
}

test("clocks, timers, dice and host modules are refused in pure code", () => {
  const reported = lint("src/session/a.ts", [...FORBIDDEN, ...ALLOWED]);
  assert.deepEqual([...new Set(reported)].sort(), [...FORBIDDEN].sort());
});

test("the folders that implement the ports may use them", () => {
  for (const folder of ["transport", "store", "server", "cli"]) {
    assert.deepEqual(lint(`src/${folder}/a.ts`, [...FORBIDDEN, ...ALLOWED]), [], folder);
  }
});
