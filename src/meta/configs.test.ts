import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member } from "../messages/membership.ts";
import { brandDataInfoId, nodeId } from "../model/ids.ts";
import { Configs } from "./configs.ts";

const RULES = brandDataInfoId("rules#@#I#@#G");
const OTHER = brandDataInfoId("other#@#I#@#G");
const S1: Member = { id: nodeId("s1.a"), role: "session" };

test("versions grow, also by a clock that is behind what is stored", () => {
  const configs = new Configs();
  configs.load([{ dataInfoId: RULES, version: 1n << 62n, data: "old" }]);
  const next = configs.next(RULES, "new", 0);
  assert.ok(next.version > 1n << 62n);
  assert.ok(configs.next(OTHER, "more", 0).version > next.version);
});

test("what was saved after the store was read stays", () => {
  const configs = new Configs();
  configs.saved({ dataInfoId: RULES, version: 5n, data: "new" });
  configs.load([{ dataInfoId: RULES, version: 4n, data: "old" }]);
  assert.equal(configs.value(RULES)?.data, "new");
});

test("a value that nobody has set is told with the lowest version, always the same", () => {
  const configs = new Configs();
  assert.deepEqual(configs.told(RULES), { dataInfoId: RULES, version: 1n, data: null });
  assert.equal(configs.value(RULES), undefined);
});

test("a member watches until it says otherwise, or is gone", () => {
  const configs = new Configs();
  configs.watch(S1, [RULES, OTHER]);
  assert.deepEqual(configs.watchersOf(RULES), [S1]);
  configs.unwatch(S1, [RULES]);
  assert.deepEqual(configs.watchersOf(RULES), []);
  configs.ended(S1);
  assert.deepEqual(configs.watchersOf(OTHER), []);
});
