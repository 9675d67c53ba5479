import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfLevel, listBytesOf, listLevelOf } from "./listBytes.ts";
import { packBoxes, packFields } from "./payload.ts";

const text = (length: number) => ({ utf8: new Uint8Array(length).fill(0x61), units: length });

test("a publication counts its boxes and what is around them, rounded up by an eighth at the most", () => {
  for (let length = 0; length < 20_000_000; length = Math.ceil(length * 1.07) + 1) {
    const payload = packBoxes([text(length)]);
    const exact = 120 + payload.length;
    const counted = listBytesOf(payload);
    if (exact <= 256) assert.equal(counted, 256);
    else if (exact <= 2 ** 23) assert.ok(counted >= exact && counted <= exact * 1.13, `${exact} counts as ${counted}`);
    assert.ok(listLevelOf(payload) <= 127);
  }
});

test("a thousand empty boxes are not nothing", () => {
  assert.ok(listBytesOf(packBoxes(Array.from({ length: 1_000 }, () => text(0)))) > 100_000);
});

test("what is no payload is counted too", () => {
  assert.ok(listBytesOf(new Uint8Array(1_000).fill(0xff)) >= 1_000);
  assert.ok(listBytesOf(Uint8Array.of(0x03, 0x85)) === 256);
});

test("a level stands for more bytes than the one below", () => {
  for (let level = 1; level < 128; level++) assert.ok(bytesOfLevel(level) > bytesOfLevel(level - 1));
});

test("an instance counts as one box, however many fields it has", () => {
  const fields = Array.from({ length: 100 }, () => text(10));
  assert.ok(listBytesOf(packFields(fields)) < 1_500);
  assert.ok(listBytesOf(packBoxes(fields)) > 10_000);
});
