import assert from "node:assert/strict";
import { test } from "node:test";
import { internedProfiles, type Profile } from "./interned.ts";
import { KeyedHash } from "./keyedHash.ts";

const profile = (number: number): Profile => ({
  zone: "Z",
  appName: "app",
  isHidden: false,
  condition: undefined,
  lease: undefined,
  attributes: new Map([["key", `${number}`.padEnd(8_000, "x")]]),
});

test("profiles are found by what is in them, and forgotten without being hashed again", () => {
  let hashed = 0;
  class Counted extends KeyedHash {
    override hash(count: number): number {
      hashed++;
      return super.hash(count);
    }
  }
  const profiles = internedProfiles(new Counted({ next: () => 0.5 }));
  const numbers = Array.from({ length: 500 }, (_, number) => profiles.take(profile(number)));
  assert.deepEqual([...new Set(numbers)].length, 500);
  assert.equal(profiles.take(profile(7)), numbers[7]);
  const taken = hashed;
  for (const number of numbers) profiles.release(number);
  assert.equal(hashed, taken);
  assert.equal(profiles.size, 1);
  profiles.release(numbers[7] ?? 0);
  assert.equal(profiles.size, 0);
});
