import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { brandServiceKey } from "../model/ids.ts";
import {
  ackLast,
  connect,
  DATA,
  forgetSent,
  fromData,
  nowMs,
  ORDERS,
  ORIGIN,
  pass,
  reset,
  START_MS,
  session,
  snapshot,
  stall,
  subscribe,
  toData,
  toMeta,
} from "./testing/harness.ts";

beforeEach(reset);

test("the first subscriber of a service causes one fetch, the next one gets the list that is there", () => {
  const [first, second] = [connect(), connect()];
  subscribe(first);
  subscribe(connect(), { registId: "s3" });
  assert.deepEqual(toData.filter(({ kind }) => kind === "fetch").length, 1);
  snapshot(10n);
  subscribe(second);
  assert.deepEqual([first.channel.versions, second.channel.versions], [[10n], [10n]]);
  assert.equal(toData.filter(({ kind }) => kind === "fetch").length, 1);
});

test("a delta on exactly the version that is here is applied; on another one the list is fetched", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  fromData({
    kind: "delta",
    delta: { serviceKey: ORDERS, base: { version: 10n, origin: ORIGIN }, version: 11n, origin: ORIGIN, changes: [] },
  });
  forgetSent();
  fromData({
    kind: "delta",
    delta: { serviceKey: ORDERS, base: { version: 12n, origin: ORIGIN }, version: 13n, origin: ORIGIN, changes: [] },
  });
  assert.deepEqual(client.channel.versions, [10n, 11n]);
  assert.deepEqual(toData, [{ kind: "fetch", serviceKey: ORDERS, have: { version: 11n, origin: ORIGIN } }]);
});

test("while a push is not answered changes merge, and the answer brings the newest only", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  for (const version of [11n, 12n, 13n]) snapshot(version);
  pass(100);
  assert.deepEqual(client.channel.versions, [10n, 11n]);
  ackLast(client);
  assert.deepEqual(client.channel.versions, [10n, 11n, 13n]);
});

test("a client that never answers gets each version once and is not waited for", () => {
  const client = connect();
  subscribe(client);
  for (const version of [10n, 11n, 12n]) snapshot(version);
  pass(60_000);
  assert.deepEqual(client.channel.versions, [10n, 11n, 12n]);
});

test("a push that is not answered is repeated with growing delay, up to a minute", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  snapshot(11n);
  const sentAt: number[] = [];
  for (let second = 0; second < 300; second++) {
    const before = client.channel.pushes.length;
    pass(1_000);
    if (client.channel.pushes.length > before) sentAt.push((nowMs - START_MS) / 1_000);
  }
  assert.deepEqual(sentAt, [4, 10, 18, 32, 39, 51, 73, 115, 177, 239]);
  assert.ok(client.channel.versions.slice(1).every((version) => version === 11n));
});

test("a version is never pushed after a higher one", () => {
  const client = connect();
  subscribe(client);
  for (const version of [12n, 11n, 10n, 13n]) {
    snapshot(version);
    ackLast(client);
  }
  assert.deepEqual(client.channel.versions, [12n, 13n]);
});

test("a client that does not read is not pushed to, and gets the newest list when it reads again", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  client.channel.isBlocked = true;
  for (const version of [11n, 12n]) snapshot(version);
  client.channel.isBlocked = false;
  session.step({ kind: "drained", client: client.id }, nowMs);
  assert.deepEqual(client.channel.versions, [10n, 12n]);
});

test("a subscriber that now looks elsewhere is shown the list again", () => {
  const client = connect();
  subscribe(client, { scope: "zone" });
  snapshot(10n);
  ackLast(client);
  subscribe(client, { scope: "global", version: 2n });
  assert.deepEqual(
    client.channel.pushes.map(({ scope }) => scope),
    ["zone", "global"],
  );
});

test("a subscriber that joins others while their push is under way gets the list when the window ends", () => {
  const many = Array.from({ length: 500 }, () => connect());
  for (const each of many) subscribe(each);
  snapshot(10n);
  for (const each of many) ackLast(each);
  pass(1_000);
  snapshot(11n);
  const [first] = many;
  assert.ok(first);
  subscribe(first, { registId: "s2" });
  ackLast(first);
  pass(200);
  assert.deepEqual(first.channel.pushes.at(-1)?.registIds, ["s2"]);
});

test("many changes that are only announced cause one fetch, and one more for what came after it", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  forgetSent();
  for (let version = 11n; version <= 60n; version++)
    fromData({ kind: "changed", serviceKey: ORDERS, version: { version, origin: ORIGIN } });
  assert.equal(toData.length, 1);
  snapshot(40n);
  assert.deepEqual(toData.at(-1), { kind: "fetch", serviceKey: ORDERS, have: { version: 40n, origin: ORIGIN } });
  snapshot(60n);
  assert.equal(toData.length, 2);
});

test("the last subscriber that leaves releases the service", () => {
  const client = connect();
  subscribe(client);
  const key = { serviceKey: ORDERS, registId: "s1", version: 2n };
  session.step({ kind: "unsubscribed", client: client.id, request: 2, key }, nowMs);
  assert.deepEqual(toData.at(-1), { kind: "release", serviceKeys: [ORDERS] });
  snapshot(10n);
  assert.deepEqual(client.channel.versions, []);
});

test("the versions of all subscribed services are scanned regularly, and after a data node is back", () => {
  subscribe(connect());
  snapshot(10n);
  forgetSent();
  pass(5_000);
  assert.deepEqual(toData, [{ kind: "scan", versions: [[ORDERS, { version: 10n, origin: ORIGIN }]] }]);
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  assert.equal(toData.filter(({ kind }) => kind === "scan").length, 2);
});

test("a hot service gathers its changes for a while that grows with the cost of its pushes", () => {
  const subscribers = Array.from({ length: 1_000 }, () => connect());
  for (const client of subscribers) subscribe(client);
  snapshot(10n);
  for (const client of subscribers) ackLast(client);
  for (let version = 11n; version <= 30n; version++) snapshot(version);
  const count = () => subscribers.reduce((sum, { channel }) => sum + channel.pushes.length, 0);
  assert.equal(count(), 1_000);
  pass(100);
  assert.equal(count(), 2_000, "20 changes within the window are one push each");
});

test("a list that is dear to make is gathered longer, however few are pushed it", () => {
  const client = connect();
  client.channel.pushCostMs = 20;
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  snapshot(11n);
  pass(79);
  assert.deepEqual(client.channel.versions, [10n]);
  pass(1);
  assert.deepEqual(client.channel.versions, [10n, 11n]);
});

test("subscribers that answer fast do not make a hot service push faster than its window", () => {
  const subscribers = Array.from({ length: 1_000 }, () => connect());
  for (const client of subscribers) subscribe(client);
  snapshot(10n);
  for (let version = 11n; version <= 30n; version++) {
    snapshot(version);
    for (const client of subscribers) ackLast(client);
  }
  const count = () => subscribers.reduce((sum, { channel }) => sum + channel.pushes.length, 0);
  assert.equal(count(), 1_000);
  pass(100);
  assert.equal(count(), 2_000);
  assert.ok(subscribers.every(({ channel }) => channel.versions.at(-1) === 30n));
});

const OTHER = brandServiceKey("other#@#I#@#G");
const otherSnapshot = (version: bigint) =>
  fromData({ kind: "snapshot", datum: { serviceKey: OTHER, version, origin: ORIGIN, publications: [] } });
const wake = () => session.step({ kind: "woken" }, nowMs);

test("many pushes take turns with everything else, and a service that was due before goes on before", () => {
  const many = Array.from({ length: 400 }, () => connect());
  for (const client of many) {
    client.channel.pushCostMs = 0.125;
    subscribe(client);
  }
  const other = connect();
  subscribe(other, { serviceKey: OTHER });
  const count = () => many.reduce((sum, { channel }) => sum + channel.pushes.length, 0);
  snapshot(10n);
  assert.equal(count(), 160, "20 ms");
  otherSnapshot(5n);
  assert.deepEqual([count(), other.channel.versions], [160, []], "nothing more in this turn");
  assert.ok(session.nextWakeMs() <= nowMs, "the next turn is asked for");
  wake();
  assert.deepEqual([count(), other.channel.versions], [320, []]);
  wake();
  assert.deepEqual([count(), other.channel.versions], [400, [5n]]);
  assert.ok(session.nextWakeMs() > nowMs, "and no turn without need");
});

test("whoever answers an older push while the list goes round is pushed the newest after it", () => {
  const many = Array.from({ length: 2_000 }, () => connect());
  for (const client of many) subscribe(client);
  snapshot(10n);
  wake();
  for (const client of many) ackLast(client);
  pass(2_500);
  const [first, last] = [many[0], many.at(-1)];
  assert.ok(first && last);
  snapshot(11n);
  // The first has version 11 under way, the last waits for its turn; the list changes.
  snapshot(12n);
  ackLast(first);
  assert.deepEqual([first.channel.versions, last.channel.versions], [[10n, 11n], [10n]]);
  wake();
  assert.deepEqual(
    [first.channel.versions, last.channel.versions],
    [
      [10n, 11n],
      [10n, 12n],
    ],
  );
  pass(1_000);
  assert.deepEqual(
    [first.channel.versions, last.channel.versions],
    [
      [10n, 11n, 12n],
      [10n, 12n],
    ],
  );
});

test("a process that was away does not take the answers that it has not read for lost", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  snapshot(11n);
  // It should have woken after half a second at the latest.
  pass(500);
  stall(5_000);
  wake();
  ackLast(client);
  pass(3_000);
  assert.deepEqual(client.channel.versions, [10n, 11n]);
});

test("a configuration is pushed when it is watched and when it changes, newest only", () => {
  const client = connect();
  const key = { serviceKey: ORDERS, registId: "c1", version: 0n };
  session.step({ kind: "watchedConfig", client: client.id, request: 1, key }, nowMs);
  assert.deepEqual(toMeta.at(-1), { kind: "watchConfig", serviceKeys: [ORDERS] });
  const config = (version: bigint, data: string | null) =>
    session.step(
      { kind: "fromMeta", message: { kind: "config", value: { serviceKey: ORDERS, version, data } } },
      nowMs,
    );
  config(5n, null);
  config(6n, "a");
  config(5n, "late");
  assert.deepEqual(
    client.channel.configs.map(({ version, data }) => [version, data]),
    [
      [5n, null],
      [6n, "a"],
    ],
  );
});
