import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { VERSION_FLOOR_MAX, versionAt } from "../model/version.ts";
import { loadVersionFloor } from "./loadVersionFloor.ts";

const NOW_MS = 1_700_000_000_000;

/** The floor as loaded by a node with this on its disk, and the number of its complaints. */
function load(floor: bigint): { floor: bigint; errors: number } {
  let errors = 0;
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: () => void errors++ };
  const clock = { nowMs: () => NOW_MS };
  return { floor: loadVersionFloor({ loadVersionFloor: () => floor }, { log, clock }), errors };
}

test("a floor of a clock that was right, or an hour ahead, is taken without a word", () => {
  for (const floor of [0n, versionAt(NOW_MS), versionAt(NOW_MS + 3_600_000)]) {
    assert.deepEqual(load(floor), { floor, errors: 0 });
  }
});

test("a floor of a clock that was months ahead is taken, for clients have seen it, and operators hear of it", () => {
  const floor = versionAt(NOW_MS + 90 * 24 * 3_600_000);
  assert.deepEqual(load(floor), { floor, errors: 1 });
});

test("a node whose disk leaves no room for versions does not start, and says why", () => {
  for (const floor of [VERSION_FLOOR_MAX + 1n, 2n ** 63n - 1n, -1n]) {
    assert.throws(
      () => load(floor),
      (error) => error instanceof RegistryError && error.code === "VERSION_FLOOR_INVALID",
    );
  }
});
