// A session's unfinished work: none once all is well, and everything that waits by its name.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  ackLast,
  connect,
  DATA,
  disconnect,
  fromData,
  nowMs,
  ORDERS,
  pass,
  publish,
  reset,
  session,
  snapshot,
  subscribe,
  tableOf,
  taken,
} from "./testing/harness.ts";
import { unfinished as namesOf } from "./unfinished.ts";

const isHere = () => fromData({ kind: "synced", slots: [0] });

beforeEach(() => {
  reset();
  isHere();
});

const unfinished = () => [...namesOf(session.parts)];

/** A client whose first list, version 10, it has taken. */
function answering() {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  return client;
}

test("once data nodes have taken everything and clients have answered, nothing is unfinished", () => {
  const client = answering();
  publish(client);
  taken();
  pass(10_000);
  assert.deepEqual(unfinished(), []);
});

test("what waits for a data node is named until that has answered", () => {
  publish(connect());
  assert.deepEqual(unfinished(), ["changes wait to be taken by data nodes"]);
  taken();
  const message = { kind: "slotTable", table: tableOf(DATA, 2n), versionFloor: 0n } as const;
  session.step({ kind: "fromMeta", message }, nowMs);
  assert.deepEqual(unfinished(), ["the leader of slot 0 has not said that it has what is here"]);
  isHere();
  subscribe(connect());
  assert.deepEqual(unfinished(), [`the list of ${ORDERS} is waited for`]);
  snapshot(10n);
  assert.deepEqual(unfinished(), []);
});

test("a push is named until its client has answered it, if it is one that answers", () => {
  const client = answering();
  const mute = connect();
  subscribe(mute, { registId: "s2" });
  pass(1_000);
  assert.deepEqual(unfinished(), []);
  snapshot(11n);
  assert.deepEqual(unfinished(), [
    `s1 of ${client.id} has not seen the list of ${ORDERS}`,
    `${client.id} has not answered a push`,
  ]);
  ackLast(client);
  assert.deepEqual(unfinished(), []);
});

test("a client that does not read is owed its pushes", () => {
  const client = answering();
  client.channel.isBlocked = true;
  pass(1_000);
  snapshot(11n);
  assert.deepEqual(unfinished(), [
    `s1 of ${client.id} has not seen the list of ${ORDERS}`,
    `${client.id} is owed pushes`,
  ]);
});

test("a list that has not reached all in one turn is on its way", () => {
  const [first, second] = [connect(), connect()];
  for (const client of [first, second]) {
    subscribe(client);
    client.channel.pushCostMs = 30;
  }
  snapshot(10n);
  assert.deepEqual(unfinished(), [`the list of ${ORDERS} is on its way to all`]);
  pass(0);
  assert.deepEqual(unfinished(), []);
});

test("what a client leaves behind is kept until its grace is over", () => {
  const client = answering();
  disconnect(client);
  assert.ok(unfinished().includes(`s1 of ${ORDERS} has left and is kept`));
  pass(1_000);
  assert.deepEqual(unfinished(), []);
});
