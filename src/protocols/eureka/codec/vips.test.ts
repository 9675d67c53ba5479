import assert from "node:assert/strict";
import { test } from "node:test";
import { vipsOf } from "./instance.ts";

test("an instance has the virtual hosts that it names, one or several, or none", () => {
  assert.deepEqual([undefined, "", "a", "a,b"].map(vipsOf), [[], [], ["a"], ["a", "b"]]);
});
