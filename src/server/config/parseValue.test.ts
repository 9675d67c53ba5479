import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeySpec } from "../../base/keySpec.ts";
import { describeAllowed } from "../../base/parseSetting.ts";
import { parseValue } from "./parseValue.ts";

const COMMON = { section: "Test", about: "", cost: "" };
const COUNT: KeySpec = { ...COMMON, type: "integer", default: 1, min: -5, max: 20, unit: "things" };
const LIST: KeySpec = { ...COMMON, type: "list", default: [] };
const PATH: KeySpec = { ...COMMON, type: "path", default: "." };

const CASES: readonly [spec: KeySpec, raw: unknown, value: unknown][] = [
  [COUNT, "20", 20],
  [COUNT, "-5", -5],
  [COUNT, 20, 20],
  [COUNT, "21", undefined],
  [COUNT, "", undefined],
  [COUNT, " 7", undefined],
  [COUNT, "0x10", undefined],
  [COUNT, "1e1", undefined],
  [COUNT, 1.5, undefined],
  [COUNT, Number.NaN, undefined],
  [COUNT, [7], undefined],
  [LIST, "a, b", ["a", "b"]],
  [LIST, ["a", "b"], ["a", "b"]],
  [LIST, ["a", 1], undefined],
  [PATH, "/a/../b", "/b"],
  [PATH, "", undefined],
  [PATH, "a\0b", undefined],
];

for (const [spec, raw, value] of CASES) {
  test(`${spec.type} ${JSON.stringify(raw)} is ${value === undefined ? "refused" : JSON.stringify(value)}`, () => {
    assert.deepEqual(parseValue(spec, raw), value);
  });
}

test("every type says what it allows", () => {
  assert.equal(describeAllowed(COUNT), "a whole number, -5 to 20");
  assert.equal(describeAllowed(LIST), "texts, separated by commas");
  assert.equal(describeAllowed(PATH), "a path");
});
