import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkLayers, type LayerTable } from "./checkLayers.ts";
import { tempTree } from "./tempTree.ts";

const TABLE: LayerTable = {
  allow: {
    base: [],
    role: ["base"],
    "role/said": [],
    protocols: ["base", "role"],
    host: ["base", "role", "role/said", "protocols"],
  },
  pure: ["base", "role", "role/said", "protocols"],
  onlyIn: { host: { protocols: ["host/list.ts"] } },
  hostEntries: ["role/main.ts"],
  siblingsForbidden: ["protocols"],
  packages: { host: ["pino"] },
};

function faultsOf(files: Readonly<Record<string, string>>): string[] {
  return checkLayers(tempTree(files), TABLE);
}

test("imports that go down are fine", () => {
  const faults = faultsOf({
    "src/base/a.ts": "export const a = 1;",
    "src/role/b.ts": 'import { a } from "../base/a.ts";\nexport const b = a;',
    "src/role/main.ts": 'import { readFile } from "node:fs/promises";\nexport const main = readFile;',
    "src/role/testing/d.ts": 'import { readFileSync } from "node:fs";',
    "src/role/b.test.ts": 'import { test } from "node:test";\nimport "../host/c.ts";',
    "src/host/c.ts": 'import { pino } from "pino";\nimport fs from "node:fs";\nexport { pino, fs };',
  });
  assert.deepEqual(faults, []);
});

// One planted fault each: what the file b.ts (or another) says, and what the checker must say about it.
const PLANTED: readonly [behaviour: string, files: Readonly<Record<string, string>>, fault: string][] = [
  [
    "an import that goes up",
    { "src/base/a.ts": 'import { b } from "../role/b.ts";' },
    "base/a.ts: layer: src/base may not import src/role",
  ],
  ["a type import that goes up", { "src/base/a.ts": 'import type { B } from "../role/b.ts";' }, "base/a.ts: layer"],
  [
    "an import over several lines",
    { "src/base/a.ts": 'import {\n  b,\n  c,\n} from "../role/b.ts";' },
    "base/a.ts: layer",
  ],
  ["a dynamic import that goes up", { "src/base/a.ts": 'const b = await import("../role/b.ts");' }, "base/a.ts: layer"],
  ["an import inside a type", { "src/base/a.ts": 'type B = import("../role/b.ts").B;' }, "base/a.ts: layer"],
  [
    "an export of what lies above",
    { "src/base/a.ts": 'export { b } from "../role/b.ts";\nexport const a = 1;' },
    "base/a.ts: layer",
  ],
  ["a host module in a pure folder", { "src/role/b.ts": 'import fs from "node:fs";' }, "role/b.ts: host module"],
  ["a package in a pure folder", { "src/role/b.ts": 'import { pino } from "pino";' }, "role/b.ts: package"],
  ["a package that is not listed", { "src/host/c.ts": 'import "left-pad";' }, "host/c.ts: package"],
  ["a folder nobody has named", { "src/utils/u.ts": "export const u = 1;" }, "utils/u.ts: unknown folder"],
  ["a file in src itself", { "src/index.ts": "export const i = 1;" }, "index.ts: unknown folder"],
  [
    "a layer inside of a folder that its folder may not import",
    { "src/role/b.ts": 'import "./said/a.ts";' },
    "role/b.ts: layer: src/role may not import src/role/said",
  ],
  [
    "a layer inside of a folder that imports what only its folder may",
    { "src/role/said/x/a.ts": 'import "../../../base/a.ts";' },
    "role/said/x/a.ts: layer: src/role/said may not import src/base",
  ],
  ["somebody else's internals", { "src/role/b.ts": 'import "../base/internal/a.ts";' }, "role/b.ts: internal"],
  ["a test's helper outside tests", { "src/role/b.ts": 'import "./testing/c.ts";' }, "role/b.ts: testing"],
  [
    "a protocol named outside of the one list of them",
    { "src/host/list.ts": 'import "../protocols/one/a.ts";', "src/host/c.ts": 'import "../protocols/one/a.ts";' },
    "host/c.ts: layer: in src/host only host/list.ts may import src/protocols",
  ],
  ["a sibling protocol", { "src/protocols/one/a.ts": 'import "../two/b.ts";' }, "protocols/one/a.ts: siblings"],
  [
    "a barrel",
    { "src/base/all.ts": '// all\nexport * from "./a.ts";\nexport type { B } from "./b.ts";' },
    "base/all.ts: barrel",
  ],
  [
    "a cycle of files",
    { "src/base/a.ts": 'import "./b.ts";', "src/base/b.ts": 'import "./a.ts";' },
    "cycle of files: base/a.ts -> base/b.ts -> base/a.ts",
  ],
  [
    "a cycle of folders without a cycle of files",
    { "src/role/x/a.ts": 'import "../y/b.ts";', "src/role/y/c.ts": 'import "../x/d.ts";' },
    "cycle of folders: role/x -> role/y -> role/x",
  ],
];

for (const [behaviour, files, fault] of PLANTED) {
  test(`finds ${behaviour}`, () => {
    const faults = faultsOf(files);
    assert.ok(
      faults.some((found) => found.includes(fault)),
      `"${fault}" is among ${JSON.stringify(faults)}`,
    );
  });
}

test("an import in a comment or in a text is none", () => {
  const faults = faultsOf({
    "src/base/a.ts": '// import "../role/b.ts";\n/* import "../role/b.ts"; */\nexport const a = "see import";',
    "src/base/b.ts": "export const text = 'from';\nexport const c = { import: 1 };",
  });
  assert.deepEqual(faults, []);
});

test("a folder may reach into its own subfolder and be reached from there", () => {
  const files = { "src/role/a.ts": 'import "./x/b.ts";', "src/role/x/b.ts": 'import "../c.ts";' };
  assert.deepEqual(faultsOf(files), []);
});

test("its own folder's internals are open to a folder", () => {
  assert.deepEqual(faultsOf({ "src/role/b.ts": 'import "./internal/a.ts";' }), []);
});

test("the table of this repository allows no circle", () => {
  const table: LayerTable = JSON.parse(readFileSync(new URL("../layers.json", import.meta.url), "utf8"));
  const below = (layer: string, seen: readonly string[]): void => {
    assert.ok(!seen.includes(layer), [...seen, layer].join(" -> "));
    for (const next of table.allow[layer] ?? []) below(next, [...seen, layer]);
  };
  for (const layer of Object.keys(table.allow)) below(layer, []);
});
