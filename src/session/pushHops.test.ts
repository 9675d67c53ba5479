// The times of a change on its way, as the session measures them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DATA_1, NOW_MS, newClient, put, recordedLinks, tableOf } from "./testing/parts.ts";
import { answering, newPusher } from "./testing/pusherScene.ts";

/** Links to one node that can be reached. */
function connected() {
  const recorded = recordedLinks();
  recorded.links.beginStep(NOW_MS);
  recorded.links.adopt(tableOf(1n, [DATA_1]));
  recorded.links.nodeUp(DATA_1);
  const hop = (name: "sent" | "taken") => recorded.observed.get(name);
  return { ...recorded, hop };
}

test("a change that is sent at once waits for nothing; the next one waits for the answer to the first", () => {
  const { links, hop } = connected();
  links.publish(put({ registeredMs: NOW_MS }));
  assert.deepEqual([hop("sent"), hop("taken")], [[0], []]);
  links.beginStep(NOW_MS + 10);
  links.publish(put({ registId: "p2", registeredMs: NOW_MS + 10 }));
  links.beginStep(NOW_MS + 40);
  links.taken(DATA_1, 1);
  assert.deepEqual([hop("sent"), hop("taken")], [[0, 0.03], [0.04]]);
});

test("a registration of long ago that is sent again has waited since it was to be sent", () => {
  const { links, hop } = connected();
  links.nodeDown(DATA_1);
  links.publish(put({ registeredMs: NOW_MS - 3_600_000 }));
  links.beginStep(NOW_MS + 20);
  links.nodeUp(DATA_1);
  assert.deepEqual(hop("sent"), [0.02]);
});

test("an answer to a batch that is not under way measures nothing", () => {
  const { links, hop } = connected();
  links.publish(put());
  links.taken(DATA_1, 7);
  assert.deepEqual(hop("taken"), []);
});

const hopOf = ({ observed }: ReturnType<typeof newPusher>, hop: string) =>
  observed.get(`roster_push_hop_seconds ${hop}`);

test("a change is pushed at once, a further one when the window ends, counted from its coming", () => {
  const scene = newPusher();
  const client = answering(scene);
  client.channel.pushCostMs = 18;
  const before = hopOf(scene, "pushed")?.length ?? 0;
  scene.change(11n);
  scene.pass(5);
  scene.answer(client);
  scene.pusher.beginTurn();
  scene.change(12n);
  scene.pass(10);
  scene.change(13n);
  scene.pass(57);
  assert.deepEqual(client.channel.versions, [10n, 11n, 13n]);
  assert.deepEqual(hopOf(scene, "pushed")?.slice(before), [0, 0.067]);
  assert.equal(hopOf(scene, "answered")?.at(-1), 0.005);
});

test("neither the first list of a subscriber nor a push that is repeated is a change", () => {
  const scene = newPusher();
  answering(scene);
  const before = hopOf(scene, "pushed")?.length;
  scene.subscribe(newClient());
  scene.pass(10_000);
  scene.repair();
  assert.equal(hopOf(scene, "pushed")?.length, before);
});
