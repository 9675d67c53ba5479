import assert from "node:assert/strict";
import { test } from "node:test";
import { isCredible, VERSION_FLOOR_MAX, VersionSource, versionAt, versionSpan } from "./version.ts";

test("versions are SOFARegistry's: milliseconds since 2019 in China, shifted by 15", () => {
  // Captured from the real server.
  assert.equal(versionAt(1_546_272_000_000 + 249_038_252_000) & 0x7fffn, 0n);
  assert.equal(8160493450461184n >> 15n, BigInt(249_038_496_413));
  assert.equal(versionAt(1_546_272_000_000 + 249_038_496_413), 8160493450461184n);
});

test("versions grow within one millisecond and when the clock goes back", () => {
  const versions = new VersionSource(0n);
  const given = [1_700_000_000_000, 1_700_000_000_000, 1_699_999_999_000, 1_700_000_000_001].map((ms) =>
    versions.next(ms, 1n),
  );
  assert.deepEqual(
    [...given].sort((a, b) => (a < b ? -1 : 1)),
    given,
  );
  assert.equal(new Set(given).size, 4);
});

test("versions stay exact beyond 2^53", () => {
  const afterSeptember2027 = 1_900_000_000_000;
  const versions = new VersionSource(0n);
  const first = versions.next(afterSeptember2027, 7n);
  assert.ok(first > 2n ** 53n);
  assert.equal(versions.next(afterSeptember2027, 7n), first + 64n);
});

test("a life that begins with the floor of the last one goes on above it", () => {
  const floor = versionAt(1_700_000_000_000) + versionSpan(10_000);
  assert.ok(new VersionSource(floor).next(1_700_000_000_000, 1n) > floor);
});

test("two leaders that do not know of each other never give the same number", () => {
  const nowMs = 1_795_000_000_000;
  const given = [250n, 257n].flatMap((origin) => {
    const versions = new VersionSource(0n);
    return Array.from({ length: 1_000 }, (_, at) => versions.next(nowMs + Math.floor(at / 100), origin));
  });
  assert.equal(new Set(given).size, 2_000);
});

test("a version is credible up to a day ahead of the clock", () => {
  const nowMs = 1_795_000_000_000;
  const dayMs = 24 * 3_600_000;
  for (const version of [0n, 1n, versionAt(nowMs), versionAt(nowMs + dayMs)]) assert.ok(isCredible(version, nowMs));
  for (const version of [-1n, versionAt(nowMs + dayMs) + 1n, VERSION_FLOOR_MAX, 2n ** 63n - 1n]) {
    assert.ok(!isCredible(version, nowMs), String(version));
  }
});
