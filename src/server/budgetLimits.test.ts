import assert from "node:assert/strict";
import { test } from "node:test";
import { budgetLimits } from "./budgetLimits.ts";
import { configWith } from "./config/load.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const bytesMax = (changes: Parameters<typeof configWith>[0], memoryGib: number, heapMib: number) =>
  Math.round(
    budgetLimits(configWith(changes), { memoryBytes: memoryGib * GIB, heapBytesMax: heapMib * MIB }).bytesMax / MIB,
  );

test("clients get seven tenths of a quarter of the machine, without what the process takes by itself", () => {
  assert.equal(bytesMax({}, 8, 4_288), Math.round(0.7 * (2_048 - 128)));
});

test("what V8's heap may hold is a bound too, whatever was configured", () => {
  assert.equal(bytesMax({}, 24, 4_288), Math.round(0.7 * (4_288 - 128)));
  assert.equal(bytesMax({ memoryBytesMax: 16 * GIB }, 24, 4_288), Math.round(0.7 * (4_288 - 128)));
  assert.equal(bytesMax({ memoryBytesMax: 16 * GIB }, 24, 32_768), Math.round(0.7 * (16_384 - 128)));
});

test("workers share the machine; what is configured each may use", () => {
  assert.equal(bytesMax({ workers: 4 }, 32, 4_288), Math.round(0.7 * (2_048 - 128)));
  assert.equal(bytesMax({ workers: 4, memoryBytesMax: GIB }, 32, 4_288), Math.round(0.7 * (1_024 - 128)));
});

test("a very small machine leaves clients something", () => {
  assert.equal(bytesMax({}, 0.5, 256), 128);
});
