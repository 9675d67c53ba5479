// The effects of answers to pushes, late ones and missing ones too.

import assert from "node:assert/strict";
import { test } from "node:test";
import { newClient, ORDERS, serviceOf } from "./testing/parts.ts";
import { answering, newPusher, pushTimes, subscribeAll } from "./testing/pusherScene.ts";

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
  scene.answer(client);
  assert.equal(scene.values.get("roster_pushes_total late"), 1, "and counts once");
});

test("a late answer of a client that has unsubscribed is nobody's", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.change(11n);
  scene.pass(2_100);
  scene.subscriptions.unsubscribe(client, { serviceKey: ORDERS, registId: "s1", version: 1n });
  scene.answer(client, { isTaken: false });
  scene.pass(60_000);
  assert.deepEqual(client.channel.versions, [10n, 11n]);
});

test("five pushes without an answer pause a client, its answer ends the pause, and both are said once", () => {
  const scene = newPusher();
  const client = answering(scene);
  subscribeAll(scene, client, 10);
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
  subscribeAll(scene, client, 130);
  scene.pass(49);
  assert.equal(client.channel.pushes.length, 128);
  scene.pass(1);
  assert.equal(client.channel.pushes.length, 130);
});

test("what a paused client did not answer is pushed again when it answers, all of it", () => {
  const scene = newPusher();
  const client = answering(scene);
  subscribeAll(scene, client, 10);
  scene.pass(2_000);
  const before = client.channel.pushes.length;
  scene.pass(5_000);
  assert.equal(client.channel.pushes.length, before + 1, "one on trial");
  for (let at = before; at < client.channel.pushes.length; at++) scene.answer(client, { at });
  scene.pass(10_000);
  for (let at = before + 1; at < client.channel.pushes.length; at++) scene.answer(client, { at });
  assert.equal(new Set(client.channel.pushes.slice(before).map(({ view }) => view.serviceKey)).size, 10);
});

test("a push on trial whose subscriber leaves is waited for all the same, and then the next one is sent", () => {
  const scene = newPusher();
  const client = answering(scene);
  subscribeAll(scene, client, 10);
  scene.pass(2_000);
  const before = client.channel.pushes.length;
  scene.pass(5_000);
  const trial = client.channel.pushes.at(-1);
  assert.ok(trial !== undefined && client.channel.pushes.length === before + 1);
  const [registId = ""] = trial.registIds;
  scene.subscriptions.unsubscribe(client, { serviceKey: trial.view.serviceKey, registId, version: 1n });
  assert.deepEqual(pushTimes(scene, client, 12_500), [12_000], "its time, and a pause that is twice as long");
  scene.answer(client);
  scene.pass(0);
  assert.ok(client.channel.pushes.length > before + 2, "the others follow");
});

test("a push whose subscriber has left makes room for another with its answer, and is not repeated", () => {
  for (const outcome of ["taken", "refused", "timeout"] as const) {
    const scene = newPusher();
    const client = answering(scene);
    subscribeAll(scene, client, 129);
    const before = client.channel.pushes.length;
    const first = client.channel.pushes.at(1);
    assert.ok(first !== undefined && before === 129, "128 and the answered one");
    const { serviceKey } = first.view;
    scene.subscriptions.unsubscribe(client, { serviceKey, registId: "t0", version: 1n });
    if (outcome === "timeout") scene.pass(10_000);
    else scene.answer(client, { isTaken: outcome === "taken", at: 1 });
    assert.equal(client.channel.pushes.length, before + 1);
    for (let at = 1; at < client.channel.pushes.length; at++) scene.answer(client, { at });
    scene.pass(60_000);
    assert.equal(client.channel.pushes.filter(({ view }) => view.serviceKey === serviceKey).length, 1);
    assert.deepEqual([client.pushesUnderWay.size, client.blockedTargets.size], [0, 0]);
  }
});

test("a client that is cut off while it is paused is not counted any more, and nothing waits for it", () => {
  const scene = newPusher();
  const client = answering(scene);
  subscribeAll(scene, client, 10);
  scene.pass(2_000);
  client.departedMs = scene.now();
  scene.pusher.departed(client);
  assert.deepEqual([scene.values.get("roster_clients_paused"), client.blockedTargets.size], [0, 0]);
  const before = client.channel.pushes.length;
  scene.pass(120_000);
  assert.equal(client.channel.pushes.length, before);
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

test("a client that was slow once has its usual time again after some twenty answers in time", () => {
  const scene = newPusher();
  const client = answering(scene);
  scene.change(11n);
  scene.pass(4_000);
  scene.answer(client, { at: 1 });
  assert.equal(client.answerMs, 8_000);
  for (let version = 12n; version < 40n; version++) {
    scene.change(version);
    scene.pass(1_000);
    scene.answer(client);
  }
  assert.equal(client.answerMs, 2_000, "twice what it takes now");
});

test("when some pushes have had their time, those that wait for room go out", () => {
  const scene = newPusher();
  const client = answering(scene);
  const show = (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      scene.subscribe(client, { registId: `t${at}`, serviceKey: serviceOf(at) });
      scene.change(10n, serviceOf(at));
    }
  };
  show(0, 2);
  scene.pass(1_000);
  show(2, 130);
  const before = client.channel.pushes.length;
  scene.pass(999);
  assert.equal(client.channel.pushes.length, before, "128 are under way");
  scene.pass(1);
  assert.equal(client.channel.pushes.length, before + 2);
});

test("of pushes that a client never answered the last 256 are remembered, however many there were", () => {
  const scene = newPusher();
  const client = newClient();
  scene.subscribe(client);
  for (let version = 10n; version < 310n; version++) {
    scene.change(version);
    scene.pass(2_500);
  }
  assert.equal(client.channel.pushes.length, 300);
  assert.equal(client.latePushes?.size, 256);
  scene.answer(client, { at: 299 });
  scene.answer(client, { at: 0 });
  assert.equal(scene.values.get("roster_pushes_total late"), 1, "the first is forgotten");
});
