import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_HISTOGRAM } from "../base/metrics.ts";
import { nodeId } from "../model/ids.ts";
import { ServiceLists } from "./serviceLists.ts";
import { Subscriptions } from "./subscriptions.ts";
import {
  COSTS,
  DATA_1,
  DATA_2,
  NOW_MS,
  newClient,
  ORDERS,
  recordedLinks,
  STOCK,
  snapshotOf,
  subscribeRequest,
  tableOf,
} from "./testing/parts.ts";

/** Both services are subscribed; the first node leads `ORDERS` and the second one `STOCK`. */
function newLists() {
  const recorded = recordedLinks();
  recorded.links.adopt(tableOf(1n, [DATA_1, DATA_2]));
  for (const node of [DATA_1, DATA_2]) recorded.links.nodeUp(node);
  const subscriptions = new Subscriptions(COSTS);
  const client = newClient();
  for (const serviceKey of [ORDERS, STOCK]) subscriptions.subscribe(client, subscribeRequest({ serviceKey }), NOW_MS);
  const changed: bigint[] = [];
  const lists = new ServiceLists(subscriptions, { links: recorded.links, noticed: NO_HISTOGRAM }, ({ list }) =>
    changed.push(list.version),
  );
  const service = subscriptions.get(ORDERS);
  assert.ok(service);
  const fetches = () => recorded.ofKind("fetch").map(({ serviceKey, have }) => [serviceKey, have.version]);
  const snapshot = (version: bigint, from = DATA_1) =>
    lists.received(from, { kind: "snapshot", datum: snapshotOf(version) }, NOW_MS);
  const announce = (version: bigint, origin = 1n) =>
    lists.received(DATA_1, { kind: "changed", serviceKey: ORDERS, version: { version, origin } }, NOW_MS);
  const delta = (base: bigint, version: bigint) => {
    const message = { serviceKey: ORDERS, base: { version: base, origin: 1n }, version, origin: 1n, changes: [] };
    lists.received(DATA_1, { kind: "delta", delta: message }, NOW_MS);
  };
  return { ...recorded, lists, service, changed, fetches, snapshot, announce, delta };
}

test("while a list is on its way it is not asked for again", () => {
  const { lists, service, fetches, snapshot } = newLists();
  lists.fetch(service);
  lists.fetch(service);
  assert.deepEqual(fetches(), [[ORDERS, 0n]]);
  snapshot(10n);
  lists.fetch(service);
  assert.deepEqual(fetches()[1], [ORDERS, 10n]);
});

test("a leader that can't be reached is asked again by whoever asks next", () => {
  const { lists, links, service, fetches } = newLists();
  links.nodeDown(DATA_1);
  lists.fetch(service);
  links.nodeUp(DATA_1);
  lists.fetch(service);
  assert.equal(fetches().length, 1);
});

test("a list that is on its way from the former leader is asked for again from the next one", () => {
  const { lists, links, service, sent, announce } = newLists();
  announce(50n);
  assert.equal(service.isWaiting, true);
  const moved = links.adopt(tableOf(2n, [DATA_2, DATA_2]));
  lists.moved(moved);
  const asked = sent.flatMap(({ to, message }) => (message.kind === "fetch" ? [[to, message.serviceKey]] : []));
  assert.deepEqual(asked, [
    [DATA_1, ORDERS],
    [DATA_2, ORDERS],
    [DATA_2, STOCK],
  ]);
});

test("what a former leader had announced is not waited for any more", () => {
  const { lists, links, sent, announce, service } = newLists();
  announce(50n);
  lists.moved(links.adopt(tableOf(2n, [DATA_2, DATA_2])));
  const fetchesBefore = sent.length;
  lists.received(DATA_2, { kind: "snapshot", datum: snapshotOf(20n, { origin: 2n }) }, NOW_MS);
  assert.deepEqual([service.list.version, sent.length], [20n, fetchesBefore]);
});

test("only the services of slots that have moved are asked for", () => {
  const { lists, fetches } = newLists();
  lists.moved(new Set([1]));
  assert.deepEqual(fetches(), [[STOCK, 0n]]);
  lists.moved(new Set());
  assert.equal(fetches().length, 1);
});

test("only the node that leads a service is listened to, and only about what is subscribed", () => {
  const { lists, snapshot, changed } = newLists();
  snapshot(10n, DATA_2);
  snapshot(10n, nodeId("data-9"));
  lists.received(DATA_1, { kind: "current", serviceKey: "other" as typeof ORDERS }, NOW_MS);
  assert.deepEqual(changed, []);
  snapshot(10n);
  assert.deepEqual(changed, [10n]);
});

test("a list that is not newer is an answer all the same, and changes nothing", () => {
  const { snapshot, changed, service, lists } = newLists();
  snapshot(10n);
  lists.fetch(service);
  snapshot(10n);
  assert.deepEqual([changed, service.isWaiting], [[10n], false]);
  lists.fetch(service);
  lists.received(DATA_1, { kind: "current", serviceKey: ORDERS }, NOW_MS);
  assert.deepEqual([changed, service.isWaiting], [[10n], false]);
});

test("a delta on what is here is a change; one on something else makes the list be asked for, once", () => {
  const { snapshot, delta, changed, fetches } = newLists();
  snapshot(10n);
  delta(10n, 11n);
  delta(5n, 11n);
  assert.deepEqual([changed, fetches()], [[10n, 11n], []]);
  delta(12n, 13n);
  delta(13n, 14n);
  assert.deepEqual([changed, fetches()], [[10n, 11n], [[ORDERS, 11n]]]);
});

test("an answer that is older than what was announced meanwhile makes the list be asked for again", () => {
  const { snapshot, announce, fetches } = newLists();
  announce(10n);
  announce(12n);
  announce(11n);
  assert.equal(fetches().length, 1);
  snapshot(11n);
  assert.deepEqual(fetches()[1], [ORDERS, 11n]);
  snapshot(12n);
  assert.equal(fetches().length, 2);
});

test("an announcement of what is here, or of less, is no reason to ask; one by another leader is", () => {
  const { snapshot, announce, fetches } = newLists();
  snapshot(10n);
  announce(10n);
  announce(9n, 2n);
  assert.deepEqual(fetches(), []);
  announce(10n, 2n);
  assert.deepEqual(fetches(), [[ORDERS, 10n]]);
});

test("a leader that asks what is known here is told, of what nobody subscribes too", () => {
  const { lists, snapshot, ofKind } = newLists();
  snapshot(10n);
  lists.recall(DATA_1, ORDERS);
  lists.recall(DATA_1, "other" as typeof ORDERS);
  assert.deepEqual(
    ofKind("recalled").map(({ datum }) => datum),
    [snapshotOf(10n), { version: 0n, origin: 0n, serviceKey: "other", publications: [] }],
  );
});
