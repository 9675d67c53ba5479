import assert from "node:assert/strict";
import { test } from "node:test";
import { compareMembers } from "../cluster/messages/membership.ts";
import { nodeId } from "../model/ids.ts";
import { MemberList } from "./memberList.ts";

function members(count: number) {
  return () => ({
    list: Array.from(
      { length: count },
      (_, at) => ({ id: nodeId(`s${at}.a`), role: "session", address: "h:1" }) as const,
    ),
  });
}

function leading(): MemberList {
  const list = new MemberList();
  list.begin(4n, 1_000);
  return list;
}

test("the first list is told when its time has come, and not before", () => {
  const list = leading();
  list.changed();
  assert.equal(list.take(members(2), 999), undefined);
  assert.equal(list.answer({ epoch: 3n, serial: 7 }), undefined);
  assert.deepEqual(list.take(members(2), 1_000), { epoch: 4n, serial: 1, ...members(2)() });
});

test("a change after quiet is told at once, and those that follow gather", () => {
  const list = leading();
  list.take(members(300), 1_000);
  list.changed();
  assert.equal(list.take(members(300), 1_299), undefined);
  assert.equal(list.take(members(301), 1_300)?.serial, 2);
  list.changed();
  assert.equal(list.nextMs(), 1_601);
});

test("whoever has another list is told the newest", () => {
  const list = leading();
  const told = list.take(members(1), 1_000);
  assert.equal(list.answer({ epoch: 4n, serial: 1 }), undefined);
  assert.equal(list.answer({ epoch: 3n, serial: 99 }), told);
});

test("a member with a list of a later leader is a reason to doubt, one of an earlier leader is not", () => {
  const list = leading();
  list.take(members(1), 1_000);
  assert.ok(!list.heard({ epoch: 3n, serial: 99 }));
  assert.ok(!list.heard({ epoch: 4n, serial: 1 }));
  assert.ok(list.heard({ epoch: 4n, serial: 2 }));
  assert.ok(list.heard({ epoch: 5n, serial: 1 }));
  assert.ok(!list.heard({ epoch: 5n, serial: 1 }), "once");
});

test("lists go on above what members have, also if the store has lost the lease of their leader", () => {
  const list = new MemberList();
  list.heard({ epoch: 9n, serial: 3 });
  list.begin(4n, 0);
  const told = list.take(members(1), 0);
  assert.ok(told !== undefined && compareMembers(told, { epoch: 9n, serial: 3 }) > 0);
});

test("a lead that is taken again under the same lease goes on counting", () => {
  const list = leading();
  list.take(members(1), 1_000);
  list.begin(4n, 2_000);
  assert.equal(list.take(members(1), 2_000)?.serial, 2);
});

test("a member is listed once it was told of, also while the next list waits, and not under another lease", () => {
  const list = leading();
  const isListed = (id: string) => list.isListed({ id: nodeId(id), role: "session" });
  assert.ok(!isListed("s0.a"));
  list.take(members(1), 1_000);
  assert.ok(isListed("s0.a") && !isListed("s1.a"));
  assert.ok(!list.isListed({ id: nodeId("s0.a"), role: "data" }), "its other role");
  list.begin(4n, 5_000);
  assert.ok(isListed("s0.a"));
  list.begin(6n, 9_000);
  assert.ok(!isListed("s0.a"), "another leader may have sent a list without it");
});
