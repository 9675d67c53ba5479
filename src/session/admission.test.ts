import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission } from "./admission.ts";

function taken(admission: Admission, wanted: number, nowMs: number): number {
  let count = 0;
  for (let at = 0; at < wanted; at++) if (admission.refusal(nowMs) === undefined) count++;
  return count;
}

test("a second's worth is taken at once, and then as much as time has passed", () => {
  const admission = new Admission(100, 0);
  assert.equal(taken(admission, 150, 0), 100);
  assert.equal(taken(admission, 50, 100), 10);
  assert.equal(taken(admission, 500, 10_000), 100, "what is not used is not saved up");
});

test("the refusal says how many are taken", () => {
  const admission = new Admission(1, 0);
  assert.equal(admission.refusal(0), undefined);
  assert.match(String(admission.refusal(0)?.message), /perSecondMax=1\)/);
});
