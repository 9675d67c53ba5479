// The times of a data node's heartbeats, their content, and whether it is true then.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Heartbeat } from "../cluster/messages/membership.ts";
import { brandServiceKey } from "../model/ids.ts";
import { ORDERS, OTHER, PEER, put, removed, SELF, SESSION, serving, TestData } from "./testing/harness.ts";

const OTHER_SERVICE = brandServiceKey("stock#@#I#@#G");

/** The heartbeats since the last call. */
const beats = (node: TestData): Heartbeat[] =>
  node.toMeta.splice(0).flatMap((message) => (message.kind === "heartbeat" ? [message] : []));

const COPY = { kind: "replica", slot: 0, leaderEpoch: 1n, datums: [], gone: [], isLast: true } as const;

/** A node that follows its only slot, and has a copy of it. */
function following(): TestData {
  const node = new TestData();
  node.members(SESSION, OTHER);
  node.table({ leader: PEER, followers: [SELF] });
  node.step({ kind: "leaderUp", node: PEER });
  node.step({ kind: "fromLeader", from: PEER, message: COPY });
  return node;
}

test("a node says each second that it lives, and at once what is new to meta", () => {
  const node = serving();
  node.pass(1_000);
  beats(node);
  node.pass(3_000);
  assert.equal(beats(node).length, 3);
  for (const news of [
    () => node.step({ kind: "metaUp" }),
    () => node.table({}),
    () => node.step({ kind: "leave" }),
    () => node.step({ kind: "leaderDown", node: PEER }),
  ]) {
    news();
    assert.equal(beats(node).length, 1);
  }
  node.publish(put());
  assert.equal(beats(node).length, 0, "what clients do is no news to meta");
});

test("it says which slots it serves, as soon as it does, and its table and wish to leave", () => {
  const node = serving();
  const last = beats(node).at(-1);
  assert.deepEqual(
    [last?.slots, last?.tableEpoch, last?.isLeaving],
    [{ serving: [0], held: [], inSync: [] }, 1n, false],
  );
  node.table({});
  assert.deepEqual(beats(node).at(-1)?.slots?.serving, []);
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
  assert.deepEqual(beats(node).at(-1)?.slots?.serving, [0]);
  node.step({ kind: "leave" });
  assert.equal(beats(node).at(-1)?.isLeaving, true);
});

test("a follower is in sync when its copy is whole, and not while its leader can't be reached", () => {
  const node = following();
  assert.deepEqual(beats(node).at(-1)?.slots?.inSync, [0]);
  assert.equal(node.data.slotsInSync, 1);
  node.step({ kind: "leaderDown", node: PEER });
  assert.deepEqual(beats(node).at(-1)?.slots?.inSync, []);
  assert.equal(node.data.slotsInSync, 0);
  assert.equal(node.data.slotsKept, 1);
});

test("a node serves when it has a table and every slot that it leads is served", () => {
  assert.equal(new TestData().data.isServing, false);
  const node = serving();
  assert.deepEqual([node.data.isServing, node.data.slotsLed, node.data.slotsKept], [true, 1, 1]);
  node.table({});
  assert.equal(node.data.isServing, false, "it has to hear everybody again");
  node.table({ leader: PEER });
  assert.deepEqual([node.data.isServing, node.data.slotsLed, node.data.slotsKept], [true, 0, 0]);
});

test("services that are held back since a restart are said to meta, until they are shown", () => {
  const node = serving({ serviceSizes: new Map([[ORDERS, 2]]) });
  assert.deepEqual(beats(node).at(-1)?.slots?.held, [0]);
  node.publish(put(), put({ registId: "r2" }));
  node.pass(1_000);
  assert.deepEqual(beats(node).at(-1)?.slots?.held, []);
});

test("the highest version that it knows goes along, of its own and of its leaders", () => {
  const node = serving();
  node.publish(put());
  node.pass(1_000);
  assert.equal(beats(node).at(-1)?.newestVersion, node.list().state.version);
});

test("operators see with each heartbeat what the node keeps, and what it holds back", () => {
  const node = serving({ serviceSizes: new Map([[OTHER_SERVICE, 2]]) });
  const seen = () => {
    node.pass(1_000);
    return ["publishers", "tombstones", "services_held", "data_full"].map((name) => node.gauges.get(`roster_${name}`));
  };
  assert.deepEqual(seen(), [0, 0, 1, 0]);
  node.publish(put(), put({ registId: "r2" }));
  assert.deepEqual(seen(), [2, 0, 1, 0]);
  assert.ok((node.gauges.get("roster_publishers_memory_bytes") ?? 0) > 0);
  node.publish(removed("unpublished", { version: 2n, registeredMs: node.nowMs }));
  node.pass(15_000);
  assert.deepEqual(seen(), [1, 1, 0, 0]);
  const full = serving({}, { dataBytesMax: 1 });
  full.publish(put());
  full.pass(1_000);
  assert.equal(full.gauges.get("roster_data_full"), 1);
});

/** 10,000 bytes that resemble no others. */
function noise(seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: 10_000 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

test("the memory of what another node keeps now is given back while nothing happens", () => {
  const node = serving();
  const items = Array.from({ length: 800 }, (_, at) => put({ registId: `r${at}`, payload: noise(at) }));
  node.publish(...items);
  const bytes = () => {
    node.pass(1_000);
    return node.gauges.get("roster_publishers_memory_bytes") ?? 0;
  };
  const before = bytes();
  node.table({ leader: PEER });
  node.pass(10_000);
  assert.ok(bytes() < before / 2, `${bytes()} of ${before}`);
});

test("nobody is to be linked but the data nodes that lead what this one follows", () => {
  const node = following();
  assert.deepEqual(
    node.linked.map(({ id }) => id),
    [PEER],
  );
  node.table({ leader: SELF });
  assert.deepEqual(node.linked, []);
});
