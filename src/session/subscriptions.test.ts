import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget, unlimitedBudget } from "../base/budget.ts";
import { RegistryError } from "../base/errors.ts";
import type { SubscribeRequest } from "../registry/registry.ts";
import type { Client } from "./client.ts";
import { Subscriptions } from "./subscriptions.ts";
import { COSTS, NOW_MS, newClient, ORDERS, STOCK, subscribeRequest } from "./testing/parts.ts";

/** Subscribes what is not refused. */
function subscribe(all: Subscriptions, client: Client, changes: Partial<SubscribeRequest> = {}) {
  const subscribed = all.subscribe(client, subscribeRequest(changes), NOW_MS);
  assert.ok(!(subscribed instanceof RegistryError));
  return subscribed;
}

const KEY = { serviceKey: ORDERS, registId: "s1", version: 1n };

/** The client is cut off, having seen version 10 of everything. */
function cutOff(all: Subscriptions, client: Client): void {
  for (const subscriber of client.subscribers.values()) subscriber.seenVersion = 10n;
  client.departedMs = NOW_MS;
  all.depart(client);
}

/** An answering client has subscribed and was cut off. */
function departedFrom(all: Subscriptions, { answersPushes = true } = {}): Client {
  const client = newClient();
  client.answersPushes = answersPushes;
  subscribe(all, client);
  cutOff(all, client);
  return client;
}

test("subscribers of one client share a push if nothing that they are shown differs", () => {
  const all = new Subscriptions(COSTS);
  const client = newClient();
  const { target } = subscribe(all, client).subscriber;
  assert.equal(subscribe(all, client, { registId: "s2" }).subscriber.target, target);
  const others: Partial<SubscribeRequest>[] = [{ scope: "zone" }, { zone: "Y" }, { variant: "w" }];
  others.forEach((other, at) => {
    assert.notEqual(subscribe(all, client, { registId: `t${at}`, ...other }).subscriber.target, target);
  });
  assert.notEqual(subscribe(all, newClient(), { registId: "s3" }).subscriber.target, target);
  assert.deepEqual([all.get(ORDERS)?.targets.size, all.size], [5, 6]);
});

test("a client that returns under the same registration has seen what it said it took", () => {
  const all = new Subscriptions(COSTS);
  const old = departedFrom(all);
  const { subscriber, returnedFrom } = subscribe(all, newClient());
  assert.deepEqual([subscriber.seenVersion, returnedFrom], [10n, old]);
  assert.deepEqual([old.subscribers.size, all.size, all.get(ORDERS)?.targets.size], [0, 1, 1]);
});

test("a client that returns, and looks elsewhere or is a new registration, has seen nothing", () => {
  const others: Partial<SubscribeRequest>[] = [{ version: 2n }, { scope: "zone" }, { zone: "Y" }, { variant: "w" }];
  for (const other of others) {
    const all = new Subscriptions(COSTS);
    departedFrom(all);
    assert.equal(subscribe(all, newClient(), other).subscriber.seenVersion, 0n, JSON.stringify(Object.keys(other)));
  }
});

test("what a client that never confirms was sent may have been lost with its connection", () => {
  const all = new Subscriptions(COSTS);
  departedFrom(all, { answersPushes: false });
  assert.equal(subscribe(all, newClient()).subscriber.seenVersion, 0n);
});

test("a subscriber that has gone for good is nobody's return", () => {
  const all = new Subscriptions(COSTS);
  const old = departedFrom(all);
  assert.deepEqual(all.dropSome(old, 9), [ORDERS]);
  const { subscriber, returnedFrom } = subscribe(all, newClient());
  assert.deepEqual([subscriber.seenVersion, returnedFrom], [0n, undefined]);
});

test("a client that has returned is not taken for the one that was cut off any more", () => {
  const all = new Subscriptions(COSTS);
  departedFrom(all);
  subscribe(all, newClient());
  assert.equal(subscribe(all, newClient()).returnedFrom, undefined);
});

test("of two clients that were cut off under one registId, the end of the first leaves the second's return", () => {
  const all = new Subscriptions(COSTS);
  const [first, second] = [newClient(), newClient()];
  for (const client of [first, second]) subscribe(all, client);
  for (const client of [first, second]) cutOff(all, client);
  all.dropSome(first, 9);
  assert.equal(subscribe(all, newClient()).returnedFrom, second);
});

test("a renewed subscriber keeps what it has seen, and one with a higher version has seen nothing", () => {
  const all = new Subscriptions(COSTS);
  const client = newClient();
  client.answersPushes = true;
  subscribe(all, client).subscriber.seenVersion = 10n;
  assert.equal(subscribe(all, client).subscriber.seenVersion, 10n);
  assert.equal(subscribe(all, client, { version: 2n }).subscriber.seenVersion, 0n);
  assert.equal(all.size, 1);
});

test("an older version of a subscriber changes nothing, and ends nothing", () => {
  const all = new Subscriptions(COSTS);
  const client = newClient();
  const { subscriber } = subscribe(all, client, { version: 5n });
  assert.equal(subscribe(all, client, { version: 4n, scope: "zone" }).subscriber, subscriber);
  all.unsubscribe(client, { ...KEY, version: 4n });
  all.unsubscribe(client, { ...KEY, registId: "s9", version: 9n });
  assert.deepEqual([all.size, client.subscribers.size], [1, 1]);
  all.unsubscribe(client, { ...KEY, version: 5n });
  assert.deepEqual([all.size, client.subscribers.size, all.get(ORDERS)?.targets.size], [0, 0, 0]);
});

test("when the last subscriber of a target leaves, it waits for no turn; its push is still to be answered", () => {
  const all = new Subscriptions(COSTS);
  const client = newClient();
  const { target } = subscribe(all, client).subscriber;
  subscribe(all, client, { registId: "s2" });
  const underWay = { id: 7, target, version: 10n, subscribers: [], sentMs: NOW_MS };
  target.underWay = { ...underWay, endByte: 1, unreadBytes: 1, leftMs: NOW_MS };
  client.pushesUnderWay.set(7, target.underWay);
  client.blockedTargets.add(target);
  all.unsubscribe(client, KEY);
  assert.deepEqual([client.pushesUnderWay.size, client.blockedTargets.size], [1, 1]);
  all.unsubscribe(client, { ...KEY, registId: "s2" });
  assert.deepEqual([client.pushesUnderWay.size, client.blockedTargets.size], [1, 0]);
});

test("a service is forgotten with its last subscriber only, and what was made of its list goes", () => {
  const all = new Subscriptions(COSTS);
  const client = newClient();
  const { service } = subscribe(all, client);
  service.list.replace({ serviceKey: ORDERS, version: 10n, origin: 1n, publications: [] }, NOW_MS);
  let drops = 0;
  if (service.list.view !== undefined) service.list.view.kept = { drop: () => drops++ };
  assert.deepEqual([all.forgetIfUnused(service), drops], [false, 0]);
  all.unsubscribe(client, KEY);
  assert.deepEqual([all.forgetIfUnused(service), drops, all.get(ORDERS)], [true, 1, undefined]);
});

test("what is left of a client is dropped in parts, with the service of each", () => {
  const all = new Subscriptions(COSTS);
  const client = newClient();
  for (const registId of ["s1", "s2"]) subscribe(all, client, { registId });
  subscribe(all, client, { registId: "s3", serviceKey: STOCK });
  assert.deepEqual(
    [all.dropSome(client, 2), all.dropSome(client, 2), all.dropSome(client, 2)],
    [[ORDERS, ORDERS], [STOCK], []],
  );
  assert.equal(all.size, 0);
});

test("what is charged is what is held, through renewal, return and end", () => {
  const all = new Subscriptions(COSTS);
  const budget = unlimitedBudget();
  const [old, back] = [newClient(budget), newClient(budget)];
  for (const registId of ["s1", "s2"]) subscribe(all, old, { registId });
  subscribe(all, old);
  assert.equal(old.account.heldBytes, all.chargedBytes);
  all.depart(old);
  subscribe(all, back);
  assert.deepEqual([old.account.heldBytes, back.account.heldBytes], [all.chargedBytes / 2, all.chargedBytes / 2]);
  all.dropSome(old, 9);
  all.unsubscribe(back, KEY);
  assert.deepEqual([budget.heldBytes, all.chargedBytes], [0, 0]);
});

test("a subscriber that would be too much is refused, and leaves no service behind", () => {
  const all = new Subscriptions(COSTS);
  const client = newClient(new Budget({ ...unlimitedBudget().limits, clientBytesMax: 100 }));
  const refusal = all.subscribe(client, subscribeRequest(), NOW_MS);
  assert.ok(refusal instanceof RegistryError && refusal.code === "CLIENT_BYTES_EXHAUSTED");
  assert.deepEqual([all.get(ORDERS), all.size, [...all.services()].length], [undefined, 0, 0]);
});
