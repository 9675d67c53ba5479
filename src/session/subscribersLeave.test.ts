import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  ackLast,
  connect,
  disconnect,
  gauges,
  type HarnessClient,
  nowMs,
  ORDERS,
  pass,
  reset,
  session,
  snapshot,
  subscribe,
} from "./testing/harness.ts";

beforeEach(reset);

/** Keeps something with the view last pushed to the client; returns how often it was dropped. */
function keep(client: HarnessClient): { dropped: number } {
  const view = client.channel.pushes.at(-1)?.view;
  assert.ok(view);
  const kept = { dropped: 0 };
  view.kept = { drop: () => void kept.dropped++ };
  return kept;
}

test("what a gateway keeps with a list is dropped when the list changes", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  const kept = keep(client);
  subscribe(client, { registId: "s2" });
  assert.equal(kept.dropped, 0, "it is pushed again");
  snapshot(11n);
  assert.equal(kept.dropped, 1);
});

test("and when its last subscriber leaves, or is gone with its client", () => {
  const [leaving, lost] = [connect(), connect()];
  for (const client of [leaving, lost]) subscribe(client);
  snapshot(10n);
  const kept = keep(leaving);
  const key = { serviceKey: ORDERS, registId: "s1", version: 2n };
  session.step({ kind: "unsubscribed", client: leaving.id, request: 2, key }, nowMs);
  assert.equal(kept.dropped, 0);
  disconnect(lost);
  pass(10_000);
  assert.equal(kept.dropped, 1);
});

test("subscribers that leave are not counted any more", () => {
  const [leaving, lost] = [connect(), connect()];
  for (const client of [leaving, lost]) for (const registId of ["s1", "s2"]) subscribe(client, { registId });
  assert.equal(gauges.get("roster_subscribers"), 4);
  const key = { serviceKey: ORDERS, registId: "s1", version: 2n };
  session.step({ kind: "unsubscribed", client: leaving.id, request: 2, key }, nowMs);
  assert.equal(gauges.get("roster_subscribers"), 3);
  disconnect(lost);
  pass(10_000);
  assert.equal(gauges.get("roster_subscribers"), 1);
});
