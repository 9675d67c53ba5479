// A data node's unfinished work: none once all is well, and everything that waits by its name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_DATUM_VERSION } from "../model/datum.ts";
import { nodeId } from "../model/ids.ts";
import { ORDERS, OTHER, PEER, put, SESSION, serving, TestData } from "./testing/harness.ts";
import { follows } from "./testing/parts.ts";
import { unfinished as namesOf } from "./unfinished.ts";

const unfinished = ({ data }: TestData) => [...namesOf(data.parts)];

test("a node that serves what its sessions hold has nothing to finish", () => {
  const node = serving();
  node.publish(put());
  node.fetch();
  node.pass(60_000);
  assert.deepEqual(unfinished(node), []);
});

test("a slot of which not every session was heard is not served, and who asked waits", () => {
  const node = new TestData();
  node.members(SESSION, OTHER);
  node.table({});
  node.fetch();
  assert.deepEqual(unfinished(node), ["slot 0 is led and not served", `${OTHER} waits for the list of ${ORDERS}`]);
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
  assert.deepEqual(unfinished(node), []);
});

test("what a session has, and the node wants, is waited for", () => {
  const node = serving();
  const entry = { serviceKey: ORDERS, registId: "r1", version: 1n, registeredMs: node.nowMs };
  node.tell({ kind: "inventory", epoch: 1n, slot: 0, entries: [entry], isFirst: true, isLast: true });
  assert.deepEqual(unfinished(node), [`slot 0 wants something of ${SESSION}`]);
  node.publish(put());
  assert.deepEqual(unfinished(node), []);
});

test("a session that is gone is not told of anything any more, soon", () => {
  const node = serving();
  const gone = nodeId("session-3.a");
  node.publish(put());
  node.fetch(NO_DATUM_VERSION, gone);
  assert.deepEqual(unfinished(node), [`${gone}, which is gone, is told of ${ORDERS}`]);
});

test("services that lack publishers after a restart are held back for a while", () => {
  const node = serving({ serviceSizes: new Map([[ORDERS, 2]]) });
  assert.deepEqual(unfinished(node), ["services of slot 0 are held back"]);
  node.pass(15_000);
  assert.deepEqual(unfinished(node), []);
});

test("what a session leaves behind is kept until its lease is over", () => {
  const node = serving({}, { lossProtectionPercent: 100 });
  node.publish(put());
  node.step({ kind: "sessionDown", session: SESSION });
  node.members(OTHER);
  assert.deepEqual(unfinished(node), ["something that sessions left behind is kept for a while"]);
  node.pass(31_000);
  assert.deepEqual(unfinished(node), []);
});

test("a slot that is followed is unfinished until its copy is here", () => {
  const node = new TestData();
  node.table(follows);
  assert.deepEqual(unfinished(node), ["slot 0 is followed and not in sync"]);
  node.step({ kind: "leaderUp", node: PEER });
  node.pass(0);
  assert.deepEqual(unfinished(node), ["the copy of slot 0 is on its way"]);
});
