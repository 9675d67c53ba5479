import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { brandServiceKey, type ServiceKey } from "../model/ids.ts";
import {
  ackLast,
  connect,
  disconnect,
  fromData,
  gauges,
  type HarnessClient,
  nowMs,
  ORIGIN,
  pass,
  reset,
  session,
  subscribe,
  useSession,
} from "./testing/harness.ts";

const UNDER_WAY_MAX = 128;
const idOf = (at: number): ServiceKey => brandServiceKey(`service-${at}#@#I#@#G`);
const list = (at: number, version: bigint) =>
  fromData({ kind: "snapshot", datum: { serviceKey: idOf(at), version, origin: ORIGIN, publications: [] } });
const shown = ({ channel }: HarnessClient) =>
  channel.pushes.map(({ view }) => `${view.serviceKey.split("#")[0]} ${view.version}`);
const answer = ({ id, channel }: HarnessClient, at: number) =>
  session.step({ kind: "pushAnswered", client: id, push: channel.pushes[at]?.id ?? -1, isTaken: true }, nowMs);

beforeEach(() => {
  reset();
  useSession({ clientRegistrationsMax: 1_000 });
});

/** A client with a subscriber of each of this many services, whose lists are not here yet. */
function subscriberOf(services: number): HarnessClient {
  const client = connect();
  for (let at = 0; at < services; at++) subscribe(client, { serviceKey: idOf(at), registId: `s${at}` });
  return client;
}

/** One that has answered the first list of service 0. */
function answering(services: number): HarnessClient {
  const client = subscriberOf(services);
  list(0, 1n);
  ackLast(client);
  return client;
}

test("so many pushes are under way to a client at once, and the others follow with its answers, in order", () => {
  const client = answering(300);
  for (let at = 1; at < 300; at++) list(at, 1n);
  assert.equal(client.channel.pushes.length, 1 + UNDER_WAY_MAX);
  pass(500);
  assert.equal(client.channel.pushes.length, 1 + UNDER_WAY_MAX);
  for (let at = 1; at < 300; at++) answer(client, at);
  assert.deepEqual(
    shown(client),
    Array.from({ length: 300 }, (_, at) => `service-${at} 1`),
  );
});

test("what waits for room goes out at its newest, and does not lose its place", () => {
  const client = answering(UNDER_WAY_MAX + 8);
  for (let at = 1; at < UNDER_WAY_MAX + 8; at++) list(at, 1n);
  for (let version = 2n; version < 10n; version++) list(UNDER_WAY_MAX + 3, version);
  answer(client, 1);
  answer(client, 2);
  answer(client, 3);
  const [first, second, third] = [1, 2, 3].map((beyond) => `service-${UNDER_WAY_MAX + beyond}`);
  assert.deepEqual(shown(client).slice(UNDER_WAY_MAX + 1), [`${first} 1`, `${second} 1`, `${third} 9`]);
});

test("a client that never answers gets everything, but not all at once", () => {
  const client = subscriberOf(300);
  for (let at = 0; at < 300; at++) list(at, 1n);
  assert.equal(client.channel.pushes.length, UNDER_WAY_MAX);
  pass(1_000);
  assert.equal(client.channel.pushes.length, 300);
  pass(60_000);
  assert.equal(client.channel.pushes.length, 300, "and each once");
});

test("a client that does not answer any more is pushed to now and then, and gets everything when it answers", () => {
  const client = answering(300);
  for (let at = 1; at < 300; at++) list(at, 1n);
  pass(3_000);
  assert.deepEqual(client.channel.reports, ["paused"]);
  const sent = client.channel.pushes.length;
  assert.equal(sent, 1 + UNDER_WAY_MAX);
  const trialsAt: number[] = [];
  const startMs = nowMs;
  for (let second = 0; second < 300; second++) {
    const before = client.channel.pushes.length;
    pass(1_000);
    assert.ok(client.channel.pushes.length <= before + 1, "one on trial");
    if (client.channel.pushes.length > before) trialsAt.push((nowMs - startMs) / 1_000);
  }
  const pauses = trialsAt.map((at, index) => at - (trialsAt[index - 1] ?? 0));
  assert.deepEqual(pauses, [4, 12, 22, 42, 62, 62, 62], "the pause, and two seconds for each answer");
  ackLast(client);
  assert.deepEqual(client.channel.reports, ["paused", "resumed"]);
  pass(1_000);
  for (let at = sent; at < client.channel.pushes.length; at++) answer(client, at);
  const seen = new Set(shown(client));
  assert.equal(seen.size, 300);
});

test("a late answer ends the pause", () => {
  const client = answering(20);
  for (let at = 1; at < 20; at++) list(at, 1n);
  pass(4_000);
  assert.deepEqual(client.channel.reports, ["paused"]);
  for (let at = 1; at < 20; at++) answer(client, at);
  assert.deepEqual(client.channel.reports, ["paused", "resumed"]);
  pass(120_000);
  assert.equal(client.channel.pushes.length, 20, "and what was answered late is not pushed again");
});

test("the repair respects the bound and the pause", () => {
  const client = answering(300);
  for (let at = 1; at < 300; at++) list(at, 1n);
  pass(30_000);
  assert.ok(client.channel.pushes.length <= 1 + UNDER_WAY_MAX + 3, `${client.channel.pushes.length} pushes in 30 s`);
});

test("a paused client that leaves is not counted any more, and other clients are not held back", () => {
  const other = connect();
  subscribe(other, { serviceKey: idOf(1), registId: "other" });
  const client = answering(20);
  for (let at = 1; at < 20; at++) list(at, 1n);
  ackLast(other);
  pass(4_000);
  list(1, 2n);
  assert.deepEqual(shown(other), ["service-1 1", "service-1 2"]);
  assert.equal(gauges.get("roster_clients_paused"), 1);
  disconnect(client);
  assert.equal(gauges.get("roster_clients_paused"), 0);
  pass(120_000);
  assert.deepEqual(client.channel.reports, ["paused"]);
});

test("a subscriber that joins when the turn is spent gets its list in a later one, after what was due before", () => {
  const many = Array.from({ length: 30 }, () => connect());
  subscribe(connect(), { serviceKey: idOf(0) });
  list(0, 1n);
  for (const client of many) {
    client.channel.pushCostMs = 5;
    subscribe(client, { serviceKey: idOf(0) });
  }
  const count = () => many.filter(({ channel }) => channel.pushes.length > 0).length;
  assert.equal(count(), 4, "20 ms of work");
  session.step({ kind: "woken" }, nowMs);
  assert.equal(count(), 8);
  assert.deepEqual(many.map(({ channel }) => channel.pushes.length).slice(0, 9), [1, 1, 1, 1, 1, 1, 1, 1, 0]);
  for (let turn = 0; turn < 6; turn++) session.step({ kind: "woken" }, nowMs);
  assert.equal(count(), 30);
});

test("what a client that never answers was sent leaves without a word, and the newest list follows it", () => {
  const client = subscriberOf(1);
  list(0, 1n);
  client.channel.unsentBytes = 100;
  for (const version of [2n, 3n]) list(0, version);
  assert.deepEqual(shown(client), ["service-0 1"]);
  client.channel.unsentBytes = 0;
  pass(600);
  assert.deepEqual(shown(client), ["service-0 1", "service-0 3"]);
});
