import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { Pusher } from "./pusher.ts";
import type { SubscribeRequest } from "./registry.ts";
import { Subscriptions } from "./subscriptions.ts";
import {
  COSTS,
  NOW_MS,
  newClient,
  ORDERS,
  recordedMetrics,
  serviceOf,
  snapshotOf,
  subscribeRequest,
} from "./testing/parts.ts";

const OPTIONS = { pushTimeoutMs: 2_000, pushRetriesMax: 3, pushWindowMaxMs: 1_000 };

type TestClient = ReturnType<typeof newClient>;

/** A pusher, its clients and their time. */
function newPusher(options: Partial<typeof OPTIONS> = {}) {
  const subscriptions = new Subscriptions(COSTS);
  const { metrics, values } = recordedMetrics();
  const pusher = new Pusher({ ...OPTIONS, ...options }, subscriptions, metrics);
  let nowMs = NOW_MS;

  /** A client subscribes, and is pushed what is there. */
  const subscribe = (client: TestClient, changes: Partial<SubscribeRequest> = {}) => {
    const subscribed = subscriptions.subscribe(client, subscribeRequest(changes));
    assert.ok(!(subscribed instanceof RegistryError));
    if (subscribed.service.list.view !== undefined) pusher.subscribed(subscribed.subscriber, nowMs);
    return subscribed;
  };
  /** The list of a service has this version now. */
  const change = (version: bigint, dataInfoId = ORDERS) => {
    const service = subscriptions.get(dataInfoId);
    assert.ok(service);
    assert.ok(service.list.replace(snapshotOf(version, { dataInfoId }), nowMs));
    pusher.changed(service, nowMs);
  };
  /** The client answers its push number `at`, or its last one. */
  const answer = (client: TestClient, { isTaken = true, at = -1 } = {}) =>
    pusher.answered(client, client.channel.pushes.at(at)?.id ?? -1, { isTaken, nowMs });
  /** Time passes, with every wake-up that is asked for. */
  const pass = (ms: number) => {
    const endMs = nowMs + ms;
    for (let wakeMs = pusher.nextWakeMs(); wakeMs <= endMs; wakeMs = pusher.nextWakeMs()) {
      nowMs = Math.max(nowMs, wakeMs);
      pusher.beginTurn();
      pusher.wake(nowMs);
    }
    nowMs = endMs;
  };
  const repair = () => {
    pusher.beginTurn();
    pusher.repair([...subscriptions.services()], nowMs);
    pusher.wake(nowMs);
  };
  const elapsedMs = () => nowMs - NOW_MS;
  const now = () => nowMs;
  return { pusher, subscriptions, values, subscribe, change, answer, pass, repair, elapsedMs, now };
}

/** A client that has subscribed `ORDERS`, has seen version 10 and said so. */
function answering(scene: ReturnType<typeof newPusher>, changes: Partial<SubscribeRequest> = {}): TestClient {
  const client = newClient();
  scene.subscribe(client, changes);
  if (scene.subscriptions.get(ORDERS)?.list.view === undefined) scene.change(10n);
  scene.answer(client);
  scene.pass(2_000);
  return client;
}

/** When the client's pushes come, in milliseconds from now, within `forMs`. */
function pushTimes(scene: ReturnType<typeof newPusher>, client: TestClient, forMs: number): number[] {
  const times: number[] = [];
  for (let ms = 0; ms < forMs; ms += 100) {
    const before = client.channel.pushes.length;
    scene.pass(100);
    for (let at = before; at < client.channel.pushes.length; at++) times.push(ms + 100);
  }
  return times;
}

test("the window after dear pushes is four times their cost, and no longer than the setting says", () => {
  for (const [pushWindowMaxMs, windowMs] of [
    [1_000, 72],
    [60, 60],
  ] as const) {
    const scene = newPusher({ pushWindowMaxMs });
    const client = answering(scene);
    client.channel.pushCostMs = 18;
    scene.change(11n);
    scene.answer(client);
    scene.pusher.beginTurn();
    scene.change(12n);
    assert.equal(scene.pusher.nextWakeMs(), scene.now() + windowMs);
    scene.pass(windowMs - 1);
    assert.deepEqual(client.channel.versions, [10n, 11n]);
    scene.pass(1);
    assert.deepEqual(client.channel.versions, [10n, 11n, 12n]);
  }
});

test("several dear pushes of one service add up to one window, within the setting", () => {
  const scene = newPusher({ pushWindowMaxMs: 100 });
  const clients = [answering(scene), answering(scene), answering(scene)];
  for (const { channel } of clients) channel.pushCostMs = 6;
  scene.change(11n);
  for (const client of clients) scene.answer(client);
  scene.pusher.beginTurn();
  scene.change(12n);
  assert.equal(scene.pusher.nextWakeMs(), scene.now() + 72);
});

test("a push goes to the subscribers that have not seen the list, and names them", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.subscribe(client, { registId: "s2" });
  assert.deepEqual(client.channel.pushes.at(-1)?.registIds, ["s2"]);
  scene.answer(client);
  scene.pass(1_000);
  scene.change(11n);
  assert.deepEqual(client.channel.pushes.at(-1)?.registIds, ["s1", "s2"]);
  assert.equal(client.channel.pushes.length, 3);
});

test("what was refused is tried again in half a second, one, one and a half, and then twice as long each time", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.change(11n);
  const times: number[] = [];
  for (let at = 0; at < 10; at++) {
    scene.answer(client, { isTaken: false });
    const startMs = scene.elapsedMs();
    const before = client.channel.pushes.length;
    while (client.channel.pushes.length === before) scene.pass(100);
    times.push(scene.elapsedMs() - startMs);
  }
  assert.deepEqual(times, [500, 1_000, 1_500, 3_000, 6_000, 12_000, 24_000, 48_000, 60_000, 60_000]);
  assert.equal(scene.values.get("roster_pushes_total refused"), 10);
});

test("what was refused and is taken then begins anew: the next refusal is the first", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.change(11n);
  for (const isTaken of [false, false, true]) {
    scene.answer(client, { isTaken });
    scene.pass(2_000);
  }
  scene.change(12n);
  scene.answer(client, { isTaken: false });
  assert.deepEqual(pushTimes(scene, client, 1_000), [500]);
});

test("settings of no retries still try again, twice as long each time", () => {
  const scene = newPusher({ pushRetriesMax: 0 });
  const client = answering(scene);
  scene.change(11n);
  scene.answer(client, { isTaken: false });
  assert.deepEqual(pushTimes(scene, client, 900), [500]);
  scene.answer(client, { isTaken: false });
  assert.deepEqual(pushTimes(scene, client, 1_200), [1_000]);
});

test("an answer is counted, confirms what was read, and says how long it took", () => {
  const scene = newPusher();
  const client = answering(scene);
  assert.equal(client.confirmedBytes, client.channel.writtenBytes);
  assert.deepEqual([scene.values.get("roster_pushes_total answered"), client.pushesUnderWay.size], [1, 0]);
});

test("an answer to nothing that was asked changes nothing, but shows that the client answers", () => {
  const scene = newPusher();
  const client = newClient();
  scene.subscribe(client);
  scene.change(10n);
  scene.pusher.answered(client, 12_345, { isTaken: true, nowMs: scene.now() });
  assert.deepEqual([client.answersPushes, client.pushesUnderWay.size], [true, 1]);
});

test("a late answer that says no to what a mute client was taken to have makes it be sent again", () => {
  const scene = newPusher();
  const client = newClient();
  scene.subscribe(client);
  scene.change(10n);
  scene.pass(3_000);
  assert.equal(client.pushesUnderWay.size, 0, "it never answered, so it was not waited for");
  scene.answer(client, { isTaken: false });
  assert.deepEqual(pushTimes(scene, client, 1_000), [500]);
  assert.equal(scene.values.get("roster_pushes_total late"), 1);
});

test("a client that begins to answer, and refuses an older list, is not pushed the newer one twice", () => {
  const scene = newPusher();
  const client = newClient();
  scene.subscribe(client);
  scene.change(10n);
  scene.pass(1_000);
  scene.change(11n);
  scene.answer(client, { isTaken: false, at: 0 });
  scene.pass(1_000);
  assert.deepEqual(client.channel.versions, [10n, 11n]);
});

test("a late answer that says yes ends the repetitions", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.change(11n);
  scene.pass(2_100);
  scene.answer(client);
  scene.pass(60_000);
  scene.repair();
  assert.deepEqual(client.channel.versions, [10n, 11n]);
});

test("a late answer to an older list brings the newest at once, if that one was not answered either", () => {
  const scene = newPusher();
  const client = answering(scene);
  for (const version of [11n, 12n]) {
    scene.change(version);
    scene.pass(2_100);
  }
  scene.answer(client, { at: 1 });
  assert.deepEqual(client.channel.versions, [10n, 11n, 12n, 12n]);
});

test("a late answer shows too how far the client has read", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.change(11n);
  scene.pass(2_100);
  scene.answer(client);
  assert.equal(client.confirmedBytes, client.channel.writtenBytes);
});

test("a late answer of a client that has unsubscribed is nobody's", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.change(11n);
  scene.pass(2_100);
  scene.subscriptions.unsubscribe(client, { dataInfoId: ORDERS, registId: "s1", version: 1n });
  scene.answer(client, { isTaken: false });
  scene.pass(60_000);
  assert.deepEqual(client.channel.versions, [10n, 11n]);
});

test("five pushes without an answer pause a client, its answer ends the pause, and both are said once", () => {
  const scene = newPusher();
  const client = answering(scene);
  for (let at = 0; at < 10; at++) {
    scene.subscribe(client, { registId: `t${at}`, dataInfoId: serviceOf(at) });
    scene.change(10n, serviceOf(at));
  }
  scene.pass(2_000);
  assert.deepEqual(client.channel.reports, ["paused"]);
  assert.equal(scene.values.get("roster_clients_paused"), 1);
  scene.answer(client);
  scene.answer(client, { at: -2 });
  assert.deepEqual(client.channel.reports, ["paused", "resumed"]);
  assert.equal(scene.values.get("roster_clients_paused"), 0);
});

test("a client that has never answered has room again when what it was sent is fifty milliseconds old", () => {
  const scene = newPusher();
  const client = newClient();
  for (let at = 0; at < 130; at++) {
    scene.subscribe(client, { registId: `t${at}`, dataInfoId: serviceOf(at) });
    scene.change(10n, serviceOf(at));
  }
  scene.pass(49);
  assert.equal(client.channel.pushes.length, 128);
  scene.pass(1);
  assert.equal(client.channel.pushes.length, 130);
});

test("what a paused client did not answer is pushed again when it answers, all of it", () => {
  const scene = newPusher();
  const client = answering(scene);
  for (let at = 0; at < 10; at++) {
    scene.subscribe(client, { registId: `t${at}`, dataInfoId: serviceOf(at) });
    scene.change(10n, serviceOf(at));
  }
  scene.pass(2_000);
  const before = client.channel.pushes.length;
  scene.pass(5_000);
  assert.equal(client.channel.pushes.length, before + 1, "one on trial");
  for (let at = before; at < client.channel.pushes.length; at++) scene.answer(client, { at });
  scene.pass(10_000);
  for (let at = before + 1; at < client.channel.pushes.length; at++) scene.answer(client, { at });
  assert.equal(new Set(client.channel.pushes.slice(before).map(({ view }) => view.dataInfoId)).size, 10);
});

test("a client that is cut off while it is paused is not counted any more, and nothing waits for it", () => {
  const scene = newPusher();
  const client = answering(scene);
  for (let at = 0; at < 10; at++) {
    scene.subscribe(client, { registId: `t${at}`, dataInfoId: serviceOf(at) });
    scene.change(10n, serviceOf(at));
  }
  scene.pass(2_000);
  client.departedMs = scene.now();
  scene.pusher.departed(client);
  assert.deepEqual([scene.values.get("roster_clients_paused"), client.blockedTargets.size], [0, 0]);
  const before = client.channel.pushes.length;
  scene.pass(120_000);
  assert.equal(client.channel.pushes.length, before);
});

test("the repair pushes to whoever is behind, and to nobody else", () => {
  const scene = newPusher();
  const [behind, other] = [answering(scene), answering(scene)];
  const target = [...(scene.subscriptions.get(ORDERS)?.targets.values() ?? [])].find(({ client }) => client === behind);
  for (const subscriber of target?.subscribers.values() ?? []) subscriber.seenVersion = 0n;
  scene.repair();
  scene.repair();
  assert.deepEqual([behind.channel.pushes.length, other.channel.pushes.length], [2, 1]);
});

test("the repair leaves alone whoever is waited for, and whose retry is due later", () => {
  const scene = newPusher();
  const [waiting, refusing] = [answering(scene), answering(scene)];
  scene.change(11n);
  scene.answer(refusing, { isTaken: false });
  scene.pass(300);
  scene.repair();
  assert.deepEqual(
    [waiting.channel.versions, refusing.channel.versions],
    [
      [10n, 11n],
      [10n, 11n],
    ],
  );
});

test("the repair waits for the window of a service like every change", () => {
  const scene = newPusher();
  const [first, second] = [answering(scene), answering(scene)];
  first.channel.pushCostMs = 15;
  scene.change(11n);
  scene.answer(first);
  scene.answer(second);
  scene.change(12n);
  scene.repair();
  assert.deepEqual(first.channel.versions, [10n, 11n]);
});

test("a client that reads again and has nothing to answer is pushed what waits, at the next repair", () => {
  const scene = newPusher();
  const client = answering(scene);
  client.channel.isBlocked = true;
  scene.change(11n);
  assert.equal(scene.values.get("roster_pushes_total blocked"), 1);
  client.channel.isBlocked = false;
  scene.repair();
  assert.deepEqual(client.channel.versions, [10n, 11n]);
});

test("a client whose one push was not answered, and for which others wait, is still repaired", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.change(11n);
  scene.pass(2_000);
  assert.ok(client.breaker !== undefined && !client.breaker.isOpen, "one push was not answered");
  client.channel.isBlocked = true;
  scene.pass(10_000);
  assert.ok(client.blockedTargets.size > 0 && client.pushesUnderWay.size === 0);
  client.channel.isBlocked = false;
  scene.repair();
  assert.deepEqual(client.channel.versions, [10n, 11n, 11n]);
});

test("what a client did not read goes out when it reads, and the next change is pushed at once again", () => {
  const scene = newPusher();
  const client = answering(scene);
  client.channel.isBlocked = true;
  scene.change(11n);
  client.channel.isBlocked = false;
  scene.pusher.drained(client, scene.now());
  scene.answer(client);
  assert.equal(client.blockedTargets.size, 0);
  scene.pass(1_000);
  scene.change(12n);
  assert.deepEqual(client.channel.versions, [10n, 11n, 12n]);
});

test("a refusal confirms what the client has read, and a push without an answer is counted", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.change(11n);
  scene.answer(client, { isTaken: false });
  assert.equal(client.confirmedBytes, client.channel.writtenBytes);
  scene.pass(2_500);
  assert.equal(scene.values.get("roster_pushes_total timeout"), 1);
});

test("a late answer that says no does not put off the retry that is due, one that says yes cancels it", () => {
  for (const isTaken of [true, false]) {
    const scene = newPusher();
    const client = answering(scene);
    scene.change(11n);
    scene.pass(2_500);
    const dueMs = scene.pusher.nextWakeMs();
    scene.answer(client, { isTaken });
    assert.equal(scene.pusher.nextWakeMs(), isTaken ? Number.POSITIVE_INFINITY : dueMs);
  }
});

test("push ids are those of a Java int, and begin again after the last one", () => {
  const { pusher } = newPusher();
  const first = pusher.takePushId();
  assert.equal(pusher.takePushId(), first + 1);
  assert.equal(first, 1);
});

test("nothing is asked for when nothing is due", () => {
  const scene = newPusher();
  assert.equal(scene.pusher.nextWakeMs(), Number.POSITIVE_INFINITY);
  answering(scene);
  assert.equal(scene.pusher.nextWakeMs(), Number.POSITIVE_INFINITY);
});

test("what is due and waits for its turn is not late: the process was not away", () => {
  const scene = newPusher();
  const clients = [0, 1, 2].map((at) => {
    const client = newClient();
    scene.subscribe(client, { dataInfoId: serviceOf(at) });
    scene.change(10n, serviceOf(at));
    scene.answer(client);
    client.channel.pushCostMs = 25;
    return client;
  });
  scene.pass(2_000);
  for (const at of [0, 1, 2]) scene.change(11n, serviceOf(at));
  const pushed = () => clients.filter(({ channel }) => channel.versions.includes(11n)).length;
  assert.equal(pushed(), 1, "one uses up the turn");
  const laterMs = scene.now() + 150;
  scene.pusher.beginTurn();
  scene.pusher.wake(laterMs);
  assert.deepEqual([pushed(), scene.pusher.nextWakeMs()], [2, laterMs]);
});

test("a client whose connection is lost is pushed nothing, and what it has not answered is nobody's failure", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.change(11n);
  client.departedMs = scene.now();
  scene.pusher.departed(client);
  scene.change(12n);
  scene.pass(10_000);
  scene.repair();
  assert.deepEqual([client.channel.versions, client.pushesUnderWay.size], [[10n, 11n], 0]);
  assert.equal(scene.values.get("roster_pushes_total timeout"), undefined);
});
