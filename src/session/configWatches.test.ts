import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget, unlimitedBudget } from "../base/budget.ts";
import { ConfigWatches } from "./configWatches.ts";
import { COSTS, NOW_MS, newClient, ORDERS, STOCK } from "./testing/parts.ts";

const TIMEOUT_MS = 2_000;

type TestClient = ReturnType<typeof newClient>;

function newWatches() {
  let pushes = 0;
  const watches = new ConfigWatches({ pushTimeoutMs: TIMEOUT_MS }, () => ++pushes, {
    costs: COSTS,
    holds: { holds: () => false },
  });
  const watch = (client: TestClient, { registId = "c1", version = 1n, serviceKey = ORDERS, atMs = 0 } = {}) => {
    const key = { registId, version, serviceKey };
    assert.equal(watches.charge(client, key), undefined);
    return watches.watch(client, key, NOW_MS + atMs);
  };
  const unwatch = (client: TestClient, { registId = "c1", version = 1n, serviceKey = ORDERS } = {}) =>
    watches.unwatch(client, { registId, version, serviceKey });
  const change = (version: bigint, { serviceKey = ORDERS, atMs = 0 } = {}) =>
    watches.changed({ serviceKey, version, data: `v${version}` }, NOW_MS + atMs);
  const answer = (client: TestClient, { at = -1, isTaken = true, atMs = 0 } = {}) =>
    watches.answered(client, client.channel.configs.at(at)?.id ?? -1, { isTaken, nowMs: NOW_MS + atMs });
  const repair = (atMs: number) => watches.repair(NOW_MS + atMs);
  return { watches, watch, unwatch, change, answer, repair };
}

/** The versions pushed to the client. */
const shown = ({ channel }: TestClient) => channel.configs.map(({ version }) => version);

/** A client that answers, and watches a value that is known in version 1, which it has confirmed. */
function confirmed(scene: ReturnType<typeof newWatches>): TestClient {
  const client = newClient();
  client.answersPushes = true;
  scene.watch(client);
  scene.change(1n);
  scene.answer(client);
  return client;
}

test("a value that is not known is to be asked for, one that is goes out at once", () => {
  const { watch, change } = newWatches();
  const [first, second] = [newClient(), newClient()];
  assert.equal(watch(first), true);
  assert.equal(watch(first, { registId: "c2" }), true, "it has not come yet");
  change(3n);
  assert.equal(watch(second), false);
  assert.deepEqual([shown(first), shown(second)], [[3n, 3n], [3n]]);
  assert.deepEqual(second.channel.configs[0]?.registIds, ["c1"]);
});

test("only a newer value is a change, and only of what is watched", () => {
  const { watches, watch, change } = newWatches();
  const client = newClient();
  watch(client);
  for (const version of [3n, 3n, 2n, 4n]) change(version);
  change(9n, { serviceKey: STOCK });
  assert.deepEqual([shown(client), watches.watched()], [[3n, 4n], [ORDERS]]);
});

test("a watch ends by its own version or a higher one, and the last one ends the interest", () => {
  const { watches, watch, unwatch } = newWatches();
  const [first, second] = [newClient(), newClient()];
  watch(first, { version: 5n });
  watch(second);
  assert.equal(unwatch(first, { version: 4n }), false);
  assert.equal(unwatch(first, { registId: "c9" }), false);
  assert.equal(first.configWatches.size, 1);
  assert.equal(unwatch(first, { version: 5n }), false, "the other one watches still");
  assert.equal(unwatch(second), true);
  assert.deepEqual([watches.watched(), first.configWatches.size, unwatch(second)], [[], 0, false]);
});

test("a watch that is renewed with a higher version ends by that alone, and is one watch", () => {
  const { watch, unwatch, change } = newWatches();
  const client = newClient();
  watch(client);
  watch(client, { version: 3n });
  watch(client, { version: 2n });
  assert.equal(unwatch(client, { version: 2n }), false);
  change(1n);
  assert.deepEqual(shown(client), [1n]);
  assert.equal(unwatch(client, { version: 3n }), true);
});

test("the end of a client ends its watches, and names what nobody watches any more", () => {
  const { watches, watch, change } = newWatches();
  const [first, second] = [newClient(), newClient()];
  watch(first);
  watch(first, { registId: "c2", serviceKey: STOCK });
  watch(second);
  assert.deepEqual(watches.dropClient(first), [STOCK]);
  change(1n);
  assert.deepEqual([shown(first), shown(second), watches.watched()], [[], [1n], [ORDERS]]);
});

test("what is charged is what is watched, once each, and all of it is released", () => {
  const { watches, watch, unwatch } = newWatches();
  const client = newClient();
  for (const registId of ["c1", "c2", "c1"]) watch(client, { registId });
  assert.equal(client.account.heldBytes, watches.chargedBytes);
  unwatch(client);
  assert.equal(client.account.heldBytes, watches.chargedBytes);
  watches.dropClient(client);
  assert.deepEqual([client.account.heldBytes, watches.chargedBytes], [0, 0]);
});

test("a watch that would be too much is refused", () => {
  const { watches } = newWatches();
  const client = newClient(new Budget({ ...unlimitedBudget().limits, clientBytesMax: 10 }));
  const refusal = watches.charge(client, { registId: "c1", version: 1n, serviceKey: ORDERS });
  assert.equal(refusal?.code, "CLIENT_BYTES_EXHAUSTED");
});

test("while a push is not answered newer values gather, and the answer brings the newest", () => {
  const scene = newWatches();
  const client = confirmed(scene);
  for (const version of [2n, 3n, 4n]) scene.change(version);
  assert.deepEqual(shown(client), [1n, 2n]);
  scene.answer(client);
  assert.deepEqual(shown(client), [1n, 2n, 4n]);
});

test("what was confirmed is not sent again", () => {
  const scene = newWatches();
  const client = confirmed(scene);
  scene.repair(60_000);
  assert.deepEqual(shown(client), [1n]);
});

test("an unanswered push is repeated when its time is over, and then after growing pauses", () => {
  const scene = newWatches();
  const client = confirmed(scene);
  scene.change(2n);
  const times: number[] = [];
  for (let atMs = 0; atMs <= 60_000; atMs += 500) {
    const before = shown(client).length;
    scene.repair(atMs);
    if (shown(client).length > before) times.push(atMs);
  }
  assert.deepEqual(times, [2_000, 7_000, 17_000, 37_000]);
});

test("a refused push is repeated after five seconds, then ten, and at most a minute", () => {
  const scene = newWatches();
  const client = confirmed(scene);
  scene.change(2n);
  let atMs = 0;
  for (const pauseMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    scene.answer(client, { isTaken: false, atMs });
    const before = shown(client).length;
    scene.repair(atMs + pauseMs - 1);
    assert.equal(shown(client).length, before);
    atMs += pauseMs;
    scene.repair(atMs);
    assert.equal(shown(client).length, before + 1);
  }
});

test("after a refusal a newer value goes out at once, and one that is taken forgets the failures", () => {
  const scene = newWatches();
  const client = confirmed(scene);
  scene.change(2n);
  scene.answer(client, { isTaken: false });
  scene.change(3n);
  assert.deepEqual(shown(client), [1n, 2n, 3n]);
  scene.answer(client);
  scene.change(4n);
  scene.answer(client, { isTaken: false });
  scene.repair(5_000);
  assert.deepEqual(shown(client), [1n, 2n, 3n, 4n, 4n]);
});

test("a late answer counts for what it was sent for: that of the last push but one, not of one before", () => {
  const scene = newWatches();
  const client = confirmed(scene);
  scene.change(2n);
  scene.repair(2_000);
  scene.answer(client, { at: -2, atMs: 2_100 });
  scene.repair(60_000);
  assert.deepEqual(shown(client), [1n, 2n, 2n]);
  const other = confirmed(scene);
  scene.change(3n, { atMs: 60_000 });
  scene.repair(62_000);
  scene.repair(67_000);
  const before = shown(other).length;
  scene.answer(other, { at: -3, atMs: 67_000 });
  scene.repair(120_000);
  assert.equal(shown(other).length, before + 1);
});

test("a client that answers after its time is given longer, one that answers in time is not", () => {
  for (const [atMs, answerMs] of [
    [TIMEOUT_MS, 0],
    [TIMEOUT_MS + 1, 2 * (TIMEOUT_MS + 1)],
  ] as const) {
    const scene = newWatches();
    const client = confirmed(scene);
    scene.change(2n);
    scene.answer(client, { atMs });
    assert.equal(client.answerMs, answerMs);
  }
});

test("the time of an answer begins when the client reads again", () => {
  const scene = newWatches();
  const client = confirmed(scene);
  scene.change(2n);
  scene.watches.drained(client, NOW_MS + 1_500);
  scene.repair(3_499);
  assert.deepEqual(shown(client), [1n, 2n]);
  scene.repair(3_500);
  assert.deepEqual(shown(client), [1n, 2n, 2n]);
});

test("a client that never answers is sent each value once, when the one before has left", () => {
  const scene = newWatches();
  const client = newClient();
  scene.watch(client);
  scene.change(1n);
  client.channel.unsentBytes = 1;
  scene.change(2n);
  assert.deepEqual(shown(client), [1n]);
  client.channel.unsentBytes = 0;
  scene.watches.drained(client, NOW_MS);
  scene.repair(60_000);
  assert.deepEqual(shown(client), [1n, 2n]);
});

test("an answer that is another client's is none, and confirms nothing", () => {
  const scene = newWatches();
  const client = confirmed(scene);
  scene.change(2n);
  const id = client.channel.configs.at(-1)?.id ?? -1;
  scene.watches.answered(newClient(), id, { isTaken: true, nowMs: NOW_MS });
  scene.repair(2_000);
  assert.deepEqual(shown(client), [1n, 2n, 2n]);
});

test("an answer confirms what the client has read, and a client that is gone is sent nothing", () => {
  const scene = newWatches();
  const client = confirmed(scene);
  assert.equal(client.confirmedBytes, client.channel.writtenBytes);
  client.departedMs = NOW_MS;
  scene.change(2n);
  assert.deepEqual(shown(client), [1n]);
});

test("the answer to a watch that has ended is nobody's", () => {
  const scene = newWatches();
  const client = confirmed(scene);
  scene.change(2n);
  scene.unwatch(client);
  scene.watch(client);
  const before = shown(client).length;
  scene.answer(client, { at: 1, atMs: 10 });
  scene.change(2n);
  assert.equal(client.confirmedBytes, 100, "only the first was confirmed");
  assert.ok(shown(client).length > before);
});
