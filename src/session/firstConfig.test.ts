// The first answer for a configuration value that no meta node has told this session yet.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { connect, type HarnessClient, nowMs, ORDERS, pass, reset, session, stall } from "./testing/harness.ts";

beforeEach(reset);

function watch(client: HarnessClient, registId = "c1"): void {
  const key = { serviceKey: ORDERS, registId, version: 1n };
  session.step({ kind: "watchedConfig", client: client.id, request: 1, key }, nowMs);
}

const told = (version: bigint, data: string | null) =>
  session.step({ kind: "fromMeta", message: { kind: "config", value: { serviceKey: ORDERS, version, data } } }, nowMs);
const seen = ({ channel }: HarnessClient) => channel.configs.map(({ data }) => data);
const ack = ({ id, channel }: HarnessClient) =>
  session.step({ kind: "pushAnswered", client: id, push: channel.configs.at(-1)?.id ?? -1, isTaken: true }, nowMs);

test("a client is told that there is no value when no meta node answers for five seconds", () => {
  const client = connect();
  watch(client);
  pass(4_900);
  assert.deepEqual(seen(client), []);
  pass(200);
  assert.deepEqual(seen(client), [null]);
  ack(client);
  pass(60_000);
  assert.deepEqual(seen(client), [null], "it is not told again");
});

test("the value follows when a meta node tells it, as a newer one than none", () => {
  const client = connect();
  watch(client);
  pass(6_000);
  ack(client);
  told(9n << 20n, "on");
  assert.deepEqual(seen(client), [null, "on"]);
  const [none, value] = client.channel.configs;
  assert.ok(none !== undefined && value !== undefined && none.version < value.version);
});

test("a client that is answered in time is not told that there is none", () => {
  const client = connect();
  watch(client);
  pass(1_000);
  told(9n << 20n, "on");
  ack(client);
  pass(60_000);
  assert.deepEqual(seen(client), ["on"]);
});

test("a watch that has ended is told nothing, and one that was begun anew waits from then on", () => {
  const [gone, again] = [connect(), connect()];
  watch(gone);
  watch(again);
  session.step({ kind: "disconnected", client: gone.id }, nowMs);
  pass(4_000);
  watch(again);
  pass(4_000);
  assert.deepEqual([seen(gone), seen(again)], [[], []]);
  pass(1_100);
  assert.deepEqual([seen(gone), seen(again)], [[], [null]]);
});

test("a client that does not read is told later that there is no value", () => {
  const client = connect();
  client.channel.isBlocked = true;
  watch(client);
  pass(6_000);
  assert.deepEqual(seen(client), []);
  client.channel.isBlocked = false;
  pass(5_000);
  assert.deepEqual(seen(client), [null]);
});

test("after this process has stood still the value, which may wait unread, has its time again", () => {
  const client = connect();
  watch(client);
  stall(8_000);
  session.step({ kind: "woken" }, nowMs);
  told(9n << 20n, "on");
  assert.deepEqual(seen(client), ["on"]);
});
