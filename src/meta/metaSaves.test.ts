// A meta node's reaction to the store's answers, one at a time.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member } from "../cluster/messages/membership.ts";
import { brandServiceKey, nodeId } from "../model/ids.ts";
import type { SaveOutcome } from "./saveOutcome.ts";
import { LoneMeta, leading, OTHER } from "./testing/loneMeta.ts";
import { EMPTY } from "./testing/storedState.ts";

const D1: Member = { role: "data", id: nodeId("d1.a") };
const S1: Member = { role: "session", id: nodeId("s1.a") };
const S2: Member = { role: "session", id: nodeId("s2.a") };
const KEY = brandServiceKey("key#@#I#@#G");
const OWNER = { leader: D1.id, leaderEpoch: 1n, followers: [] };
const TABLE = { epoch: 1n, slots: [OWNER] };

/** A leader that has just given the first table to the store. */
function saving(): LoneMeta {
  const one = leading();
  for (const member of [S1, S2, D1]) {
    one.step({ kind: "memberUp", member });
    one.hear(member);
  }
  one.pass(10);
  assert.deepEqual(one.takeAsked(), ["table"]);
  one.told(D1);
  return one;
}

const tableOf = ({ tables }: LoneMeta) => {
  const table = tables.at(-1);
  assert.ok(table !== undefined);
  return table;
};

const saved = (one: LoneMeta, outcome: SaveOutcome) => one.answerCommit("table", outcome);

test("a table is shown when the store has it, and not before", () => {
  const one = saving();
  assert.deepEqual([one.meta.slotTable, one.told(D1)], [undefined, []]);
  saved(one, "saved");
  assert.deepEqual(one.meta.slotTable, tableOf(one));
  assert.deepEqual(one.told(D1), [{ kind: "slotTable", table: tableOf(one), versionFloor: 0n }]);
  assert.deepEqual(one.takeAsked(), []);
});

test("a table of which nobody knows whether it is stored is looked for, and once more ten seconds later", () => {
  const one = saving();
  saved(one, "unknown");
  assert.deepEqual(one.takeAsked(), ["load"]);
  assert.ok(one.meta.isLeading && !one.meta.isReady);
  one.loaded({ ...EMPTY, slotTable: tableOf(one) });
  assert.deepEqual(one.meta.slotTable, tableOf(one));
  one.pass(9_999);
  assert.deepEqual(one.takeAsked(), []);
  one.pass(1);
  assert.deepEqual(one.takeAsked(), ["load"]);
});

test("who is refused a table doubts its lead, and asks for the lease anew before anything else", () => {
  const one = saving();
  saved(one, "refused");
  assert.ok(!one.meta.isLeading);
  assert.deepEqual(one.takeAsked(), []);
  one.nowMs += 100;
  one.lease();
  assert.deepEqual([one.meta.isLeading, one.takeAsked()], [true, ["load"]]);
});

test("a save of before this lead may have come after the store was read: it is read twice more", () => {
  for (const [outcome, asked] of [
    ["saved", ["load"]],
    ["unknown", ["load"]],
    ["refused", []],
  ] as const) {
    const one = saving();
    one.lease(1n, OTHER);
    one.nowMs += 1_000;
    one.lease(1n);
    one.loaded({ ...EMPTY, slotTable: TABLE });
    one.takeAsked();
    saved(one, outcome);
    assert.deepEqual(one.takeAsked(), asked, `saved: ${outcome}`);
    assert.deepEqual(one.meta.slotTable, TABLE, "it is not shown");
    if (asked.length > 0) one.loaded({ ...EMPTY, slotTable: TABLE });
    one.pass(10_000);
    const later = one.takeAsked().filter((what) => what === "load");
    assert.deepEqual(later, asked, `saved: ${outcome}, ten seconds later`);
  }
});

test("a table that is stored while the store is being read is looked for again, before anybody is told", () => {
  const one = saving();
  one.step({ kind: "blockNode", request: 1, node: "s2", isBlocked: true });
  one.answerCommit("block", "unknown");
  assert.deepEqual(one.takeAsked(), ["block s2", "load"]);
  saved(one, "saved");
  assert.deepEqual(one.told(D1), []);
  one.loaded(EMPTY);
  assert.deepEqual(one.takeAsked(), ["load"], "what was read may be of before the save");
  assert.ok(!one.meta.isReady);
  one.loaded({ ...EMPTY, slotTable: tableOf(one) });
  assert.deepEqual(
    one.told(D1).map(({ kind }) => kind),
    ["slotTable"],
  );
});

test("a configuration is told to its watchers when the store has it, and its request is answered then", () => {
  const one = leading();
  one.step({ kind: "memberUp", member: S1 });
  one.step({ kind: "received", from: S1, message: { kind: "watchConfig", serviceKeys: [KEY] } });
  assert.deepEqual(
    one.told(S1).map((message) => message.kind === "config" && message.value.data),
    [null],
  );
  one.step({ kind: "putConfig", request: 7, serviceKey: KEY, data: "on" });
  const [value] = one.configs;
  assert.ok(value !== undefined);
  assert.deepEqual([one.answers.has(7), one.told(S1), one.meta.config(KEY)], [false, [], undefined]);
  one.answerCommit("config", "saved");
  assert.deepEqual([one.answers.has(7), one.answers.get(7), one.meta.config(KEY)], [true, undefined, value]);
  assert.deepEqual(one.told(S1), [{ kind: "config", value }]);
  one.step({ kind: "received", from: S1, message: { kind: "unwatchConfig", serviceKeys: [KEY] } });
  one.step({ kind: "putConfig", request: 8, serviceKey: KEY, data: "off" });
  one.answerCommit("config", "saved");
  assert.deepEqual(one.told(S1), []);
});

test("a value that the store refused is the word of another leader: this one doubts its lead", () => {
  const one = leading();
  one.step({ kind: "putConfig", request: 7, serviceKey: KEY, data: "on" });
  const [value] = one.configs;
  assert.ok(value !== undefined);
  one.answerCommit("config", "refused");
  assert.equal(one.answers.get(7)?.code, "NOT_META_LEADER");
  assert.ok(!one.meta.isLeading);
});

test("the refusal of what was asked in an earlier lead says nothing of this one", () => {
  const one = leading();
  one.step({ kind: "putConfig", request: 7, serviceKey: KEY, data: "on" });
  const [value] = one.configs;
  assert.ok(value !== undefined);
  one.lease(2n, OTHER);
  one.nowMs += 1_000;
  one.lease(3n);
  assert.deepEqual(one.takeAsked(), ["config", "load"]);
  one.answerCommit("config", "refused");
  assert.ok(one.meta.isLeading);
});

test("a node is blocked when the store has it: its session is told to go, and named to operators", () => {
  const one = leading({ slotTable: TABLE });
  for (const member of [S2, S1]) {
    one.step({ kind: "memberUp", member });
    one.hear(member);
  }
  one.told(S1);
  one.step({ kind: "blockNode", request: 7, node: "s1", isBlocked: true });
  assert.deepEqual([one.takeAsked(), one.told(S1)], [["block s1"], []]);
  one.answerCommit("block", "saved");
  assert.deepEqual([...one.meta.blockedNodes], ["s1"]);
  assert.deepEqual(
    one.told(S1).map(({ kind }) => kind),
    ["refused"],
  );
  assert.deepEqual(
    one.meta.members().map(({ id }) => id),
    [S2.id],
  );
  one.hear(S1);
  assert.deepEqual(
    one.told(S1).map(({ kind }) => kind),
    ["refused"],
    "each time that it comes again",
  );
});

test("a block that is stored while the store is being read is looked for again", () => {
  const one = saving();
  one.step({ kind: "blockNode", request: 7, node: "s2", isBlocked: true });
  saved(one, "unknown");
  one.answerCommit("block", "saved");
  assert.deepEqual([...one.meta.blockedNodes], []);
  one.takeAsked();
  one.loaded(EMPTY);
  assert.deepEqual(one.takeAsked(), ["load"]);
});

test("who does not lead answers for nothing, says who does, and tells nobody anything", () => {
  const one = new LoneMeta();
  one.step({ kind: "woken" });
  one.step({ kind: "putConfig", request: 1, serviceKey: KEY, data: "on" });
  one.step({ kind: "blockNode", request: 2, node: "x", isBlocked: true });
  assert.deepEqual([one.answers.get(1)?.code, one.answers.get(2)?.code], ["NOT_META_LEADER", "NOT_META_LEADER"]);
  one.lease(1n, OTHER);
  assert.deepEqual([one.meta.isReady, one.meta.isLeading, one.meta.leader?.holder], [true, false, OTHER]);
  one.step({ kind: "memberUp", member: D1 });
  one.hear(D1);
  one.step({ kind: "received", from: S1, message: { kind: "watchConfig", serviceKeys: [KEY] } });
  one.loaded({ ...EMPTY, slotTable: TABLE });
  assert.deepEqual([one.sent, one.meta.slotTable, one.takeAsked()], [[], undefined, []]);
  assert.deepEqual(
    one.meta.members().map(({ id }) => id),
    [D1.id],
    "it hears them all the same",
  );
});

test("nothing is told before the store was read, and then each watcher what it watches", () => {
  const one = new LoneMeta();
  one.step({ kind: "woken" });
  one.step({ kind: "memberUp", member: S1 });
  one.hear(S1);
  one.step({ kind: "received", from: S1, message: { kind: "watchConfig", serviceKeys: [KEY] } });
  one.lease();
  one.hear(S1);
  assert.deepEqual([one.meta.isLeading, one.meta.isReady, one.sent], [true, false, []]);
  const value = { serviceKey: KEY, version: 5n, data: "on" };
  one.loaded({ ...EMPTY, slotTable: TABLE, configs: new Map([[KEY, value]]) });
  const told = one.told(S1);
  assert.deepEqual(told.filter(({ kind }) => kind === "slotTable").length, 1);
  assert.ok(told.some((message) => message.kind === "config" && message.value.data === value.data));
});

test("a member that has the newest table is not told it, one that has an older one is", () => {
  const one = leading({ slotTable: { ...TABLE, epoch: 4n } });
  one.step({ kind: "memberUp", member: S1 });
  const tables = (tableEpoch: bigint) => {
    one.hear(S1, { tableEpoch });
    return one.told(S1).filter(({ kind }) => kind === "slotTable").length;
  };
  assert.deepEqual([tables(3n), tables(4n)], [1, 0]);
});

test("a node that resigns lets its lease go, leads no more and never asks again", () => {
  const one = leading();
  one.step({ kind: "resign" });
  assert.deepEqual(one.asked.splice(0), ["release 1"]);
  assert.ok(!one.meta.isLeading);
  one.pass(60_000);
  assert.deepEqual(one.asked, []);
});

test("a member that is gone watches nothing any more", () => {
  const one = leading();
  one.step({ kind: "memberUp", member: S1 });
  one.hear(S1);
  one.step({ kind: "received", from: S1, message: { kind: "watchConfig", serviceKeys: [KEY] } });
  one.step({ kind: "memberDown", member: S1 });
  one.pass(20_000);
  one.told(S1);
  one.step({ kind: "putConfig", request: 7, serviceKey: KEY, data: "on" });
  const [value] = one.configs;
  assert.ok(value !== undefined);
  one.answerCommit("config", "saved");
  assert.deepEqual(one.told(S1), []);
});

test("who has neither link nor lease is not taken for a watcher, but answered", () => {
  const one = leading();
  one.step({ kind: "received", from: S1, message: { kind: "watchConfig", serviceKeys: [KEY] } });
  assert.equal(one.told(S1).length, 1);
  one.step({ kind: "putConfig", request: 7, serviceKey: KEY, data: "on" });
  const [value] = one.configs;
  assert.ok(value !== undefined);
  one.answerCommit("config", "saved");
  assert.deepEqual(one.told(S1), []);
});
