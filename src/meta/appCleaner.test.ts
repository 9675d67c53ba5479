// Application-level discovery in a meta node: what it removes after a long silence.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LEAD_MS, SILENCE_MS } from "./appCleaner.ts";
import { appsIn, BOTH, find, HOUR_MS, leading, register, renew, S1, S2, scene, watch } from "./testing/appScene.ts";

test("a revision that was silent for a day is removed, with its content, and one that is renewed stays", () => {
  const one = leading();
  one.hear(S1, register("silent"));
  one.hear(S1, register("used"));
  one.settle();
  for (let left = SILENCE_MS / HOUR_MS; left > 0; left--) {
    one.pass(HOUR_MS);
    one.hear(S1, renew("used"));
  }
  one.pass(60_000);
  assert.deepEqual([...one.applications.heads.keys()], ["used"]);
  one.told(S1);
  one.hear(S1, find("silent"));
  assert.deepEqual(one.told(S1), [{ kind: "revisions", found: [], unknown: ["silent"] }]);
  assert.deepEqual([...leading(one.store).applications.heads.keys()], ["used"]);
});

test("a new leader gives everything an hour: there may have been nobody to hear", () => {
  const first = leading();
  first.hear(S1, register("r1"));
  first.settle();
  const next = scene(first.store);
  next.nowMs += 100 * HOUR_MS;
  next.applications.begin(1n, next.nowMs);
  next.pass(LEAD_MS - 60_000);
  assert.equal(next.applications.heads.size, 1);
  next.hear(S1, renew("r1"));
  next.pass(2 * HOUR_MS);
  assert.equal(next.applications.heads.size, 1);
});

test("the switch of the revisions' cleaner is heeded", () => {
  const one = leading();
  one.switches = { revisions: false, services: false };
  one.hear(S1, register("r1"));
  one.settle();
  one.pass(SILENCE_MS * 2);
  one.pass(60_000);
  assert.equal(one.applications.heads.size, 1);
  one.switches = BOTH;
  one.pass(60_000);
  one.pass(60_000);
  assert.equal(one.applications.heads.size, 0);
});

test("a service that no revision offers any more is removed a day later, if the switch says so", () => {
  const one = leading();
  one.switches = { revisions: true, services: false };
  one.hear(S1, watch("old", "orders"));
  one.hear(S1, register("r1", ["old", "orders"]));
  one.hear(S1, register("r2", ["orders"]));
  one.settle();
  for (let left = SILENCE_MS / HOUR_MS + 1; left > 0; left--) {
    one.pass(HOUR_MS);
    one.hear(S1, renew("r2"));
  }
  one.pass(60_000);
  assert.deepEqual([...one.applications.heads.keys()], ["r2"]);
  one.applications.compareServices(one.nowMs);
  one.settle();
  one.told(S1);
  one.hear(S2, watch("old"));
  assert.deepEqual(appsIn(one.told(S2)), [["shop"]], "the switch is off");
  one.switches = BOTH;
  one.applications.compareServices(one.nowMs);
  one.settle();
  assert.deepEqual([appsIn(one.told(S1)), appsIn(one.told(S2))], [[[]], [[]]], "those who watch are told");
  one.hear(S2, watch("old", "orders"));
  assert.deepEqual(appsIn(one.told(S2)), [[], ["shop"]]);
  const next = leading(one.store);
  next.hear(S2, watch("old", "orders"));
  assert.deepEqual(appsIn(next.told(S2)), [[], ["shop"]]);
});

test("a service that a revision offers again while services are compared stays", () => {
  const one = leading();
  one.hear(S1, register("r1", ["orders"]));
  one.settle();
  one.pass(SILENCE_MS + HOUR_MS);
  one.pass(60_000);
  one.applications.compareServices(one.nowMs);
  one.work();
  const [page] = one.take();
  assert.ok(page !== undefined);
  one.answer(page);
  one.hear(S1, register("r2", ["orders"]));
  one.settle();
  one.told(S2);
  one.hear(S2, watch("orders"));
  assert.deepEqual(appsIn(one.told(S2)), [["shop"]]);
});
