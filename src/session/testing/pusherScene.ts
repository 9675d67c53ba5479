// A pusher alone, with subscriptions, clients played by the test, and their time.

import assert from "node:assert/strict";
import { RegistryError } from "../../base/errors.ts";
import type { SubscribeRequest } from "../../registry/registry.ts";
import { Pusher } from "../pusher.ts";
import { Subscriptions } from "../subscriptions.ts";
import { COSTS, NOW_MS, newClient, ORDERS, recordedMetrics, serviceOf, snapshotOf, subscribeRequest } from "./parts.ts";

/** The settings unless a test changes them. */
export const PUSH_OPTIONS = { pushTimeoutMs: 2_000, pushRetriesMax: 3, pushWindowMaxMs: 1_000 };

/** A client without a connection. */
export type PusherClient = ReturnType<typeof newClient>;

export const NO_HOLDS = { holds: () => false };

/** A pusher, its clients and their time. */
export function newPusher(options: Partial<typeof PUSH_OPTIONS> = {}) {
  const subscriptions = new Subscriptions(COSTS);
  const { metrics, values, observed } = recordedMetrics();
  const pusher = new Pusher({ ...PUSH_OPTIONS, ...options }, { subscriptions, holds: NO_HOLDS }, metrics);
  let nowMs = NOW_MS;

  /** A client subscribes, and is pushed the present list. */
  const subscribe = (client: PusherClient, changes: Partial<SubscribeRequest> = {}) => {
    const subscribed = subscriptions.subscribe(client, subscribeRequest(changes), NOW_MS);
    assert.ok(!(subscribed instanceof RegistryError));
    if (subscribed.service.list.view !== undefined) pusher.subscribed(subscribed.subscriber, nowMs);
    return subscribed;
  };
  /** The list of a service has this version now. */
  const change = (version: bigint, serviceKey = ORDERS) => {
    const service = subscriptions.get(serviceKey);
    assert.ok(service);
    assert.ok(service.list.replace(snapshotOf(version, { serviceKey }), nowMs));
    pusher.changed(service, nowMs);
  };
  /** The client answers its push number `at`, or its last one. */
  const answer = (client: PusherClient, { isTaken = true, at = -1 } = {}) =>
    pusher.answered(client, client.channel.pushes.at(at)?.id ?? -1, { isTaken, nowMs });
  /** Lets time pass, with every requested wake-up. */
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
  return { pusher, subscriptions, values, observed, subscribe, change, answer, pass, repair, elapsedMs, now };
}

/** A client that has subscribed to `ORDERS`, has seen version 10 and confirmed it. */
export function answering(scene: ReturnType<typeof newPusher>, changes: Partial<SubscribeRequest> = {}): PusherClient {
  const client = newClient();
  scene.subscribe(client, changes);
  if (scene.subscriptions.get(ORDERS)?.list.view === undefined) scene.change(10n);
  scene.answer(client);
  scene.pass(2_000);
  return client;
}

/** The client subscribes to this many services, each of which has a list to be pushed. */
export function subscribeAll(scene: ReturnType<typeof newPusher>, client: PusherClient, count: number): void {
  for (let at = 0; at < count; at++) {
    scene.subscribe(client, { registId: `t${at}`, serviceKey: serviceOf(at) });
    scene.change(10n, serviceOf(at));
  }
}

/** The times of the client's pushes within `forMs`, in milliseconds from now. */
export function pushTimes(scene: ReturnType<typeof newPusher>, client: PusherClient, forMs: number): number[] {
  const times: number[] = [];
  for (let ms = 0; ms < forMs; ms += 100) {
    const before = client.channel.pushes.length;
    scene.pass(100);
    for (let at = before; at < client.channel.pushes.length; at++) times.push(ms + 100);
  }
  return times;
}
