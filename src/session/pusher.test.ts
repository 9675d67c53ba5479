import assert from "node:assert/strict";
import { test } from "node:test";
import { newClient, ORDERS, serviceOf } from "./testing/parts.ts";
import { answering, newPusher, pushTimes } from "./testing/pusherScene.ts";

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
    scene.subscribe(client, { serviceKey: serviceOf(at) });
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

test("a client that reads again takes turns with everything else, however much waits for it", () => {
  const scene = newPusher();
  const client = newClient();
  client.channel.isBlocked = true;
  for (let at = 0; at < 10; at++) {
    scene.subscribe(client, { registId: `t${at}`, serviceKey: serviceOf(at) });
    scene.change(10n, serviceOf(at));
  }
  client.channel.isBlocked = false;
  client.channel.pushCostMs = 5;
  scene.pusher.drained(client, scene.now());
  assert.equal(client.channel.pushes.length, 4, "20 ms of work");
  scene.pass(1_000);
  assert.equal(client.channel.pushes.length, 10);
});
