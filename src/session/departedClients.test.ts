import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../model/ids.ts";
import { DepartedClients } from "./departedClients.ts";
import { Publications } from "./publications.ts";
import { Subscriptions } from "./subscriptions.ts";
import { COSTS, NOW_MS, newClient, ORDERS, publishRequest, subscribeRequest } from "./testing/parts.ts";

const GRACE_MS = 1_000;

const at = (ms: number) => ({ nowMs: NOW_MS + ms });

function newDeparted(graceMs = GRACE_MS) {
  const publications = new Publications(nodeId("session-1"), COSTS);
  const subscriptions = new Subscriptions(COSTS);
  const departed = new DepartedClients(graceMs, publications, subscriptions);
  /** A client with this many publishers and subscribers, whose connection is lost now. */
  const depart = ({ publishers = 1, subscribers = 0, askedMs = Number.NEGATIVE_INFINITY } = {}) => {
    const client = newClient();
    client.askedMs = askedMs;
    for (let at = 0; at < publishers; at++) {
      publications.put(client, publishRequest({ registId: `${client.id}-p${at}` }), NOW_MS);
    }
    for (let at = 0; at < subscribers; at++)
      subscriptions.subscribe(client, subscribeRequest({ registId: `s${at}` }), NOW_MS);
    departed.add(client, NOW_MS);
    return client;
  };
  const dropped = (atMs: number) => {
    const { removals, services } = departed.drop(NOW_MS + atMs);
    return [removals.length, services.length];
  };
  return { publications, subscriptions, departed, depart, dropped };
}

test("what a client held goes when its grace is over, not before", () => {
  const { departed, depart, dropped } = newDeparted();
  depart({ publishers: 2, subscribers: 3 });
  assert.equal(departed.nextMs(), NOW_MS + GRACE_MS);
  assert.deepEqual(
    [dropped(GRACE_MS - 1), dropped(GRACE_MS), dropped(GRACE_MS)],
    [
      [0, 0],
      [2, 3],
      [0, 0],
    ],
  );
  assert.equal(departed.nextMs(), Number.POSITIVE_INFINITY);
});

test("a removal names what it removes, and each subscriber's service is named", () => {
  const { departed, depart } = newDeparted();
  const client = depart({ subscribers: 2 });
  const { removals, services } = departed.drop(NOW_MS + GRACE_MS);
  const stamp = { version: 1n, registeredMs: NOW_MS };
  assert.deepEqual(removals, [{ serviceKey: ORDERS, registId: `${client.id}-p0`, cause: "left", stamp }]);
  assert.deepEqual(services, [ORDERS, ORDERS]);
});

test("each sign of a client's return gives the rest of it five seconds, and never less than it had", () => {
  const { departed, depart } = newDeparted();
  const client = depart();
  const back = newClient();
  departed.returned(client, back, at(900));
  assert.equal(departed.nextMs(), NOW_MS + 5_900);
  departed.returned(client, back, at(4_000));
  assert.equal(departed.nextMs(), NOW_MS + 9_000);
  const patient = newDeparted(60_000);
  patient.departed.returned(patient.depart(), newClient(), at(900));
  assert.equal(patient.departed.nextMs(), NOW_MS + 60_000);
});

test("what another client takes of a departed one's is not that one's return", () => {
  const { departed, depart } = newDeparted();
  const client = depart();
  const other = newClient();
  other.channel.address = "10.6.6.6";
  departed.returned(client, other, at(900));
  assert.equal(departed.nextMs(), NOW_MS + GRACE_MS);
});

test("a client that is lost again while it returns has its grace from then, for what it has not said again too", () => {
  const { departed, depart, dropped } = newDeparted();
  const client = depart();
  const back = newClient();
  departed.returned(client, back, at(900));
  departed.add(back, NOW_MS + 1_000);
  assert.deepEqual(
    [dropped(1_999), dropped(2_000)],
    [
      [0, 0],
      [1, 0],
    ],
  );
});

test("with a client's next return what it has left on all of its lost connections waits on", () => {
  const { departed, depart, dropped } = newDeparted();
  const client = depart();
  const second = newClient();
  departed.returned(client, second, at(500));
  departed.add(second, NOW_MS + 600);
  departed.returned(second, newClient(), at(700));
  assert.deepEqual(
    [dropped(5_699), dropped(5_700)],
    [
      [0, 0],
      [1, 0],
    ],
  );
});

test("what a client has left on more than its last eight connections goes in its time", () => {
  const { departed, depart, dropped } = newDeparted();
  let last = depart();
  for (let times = 1; times <= 9; times++) {
    const next = newClient();
    departed.returned(last, next, at(times * 100));
    departed.add(next, NOW_MS + times * 100);
    last = next;
  }
  assert.deepEqual(
    [dropped(1_799), dropped(1_800)],
    [
      [0, 0],
      [1, 0],
    ],
  );
});

test("the return of a client that is here, or whose grace is over, is none", () => {
  const { departed, depart } = newDeparted();
  departed.returned(newClient(), newClient(), at(0));
  const gone = depart();
  departed.drop(NOW_MS + GRACE_MS);
  departed.returned(gone, newClient(), at(GRACE_MS));
  assert.equal(departed.nextMs(), Number.POSITIVE_INFINITY);
});

test("a client that was refused just now because its old connection seemed to stand has until its next try", () => {
  const { departed, depart } = newDeparted();
  depart({ askedMs: NOW_MS - 1_499 });
  assert.equal(departed.nextMs(), NOW_MS + GRACE_MS + 1_500);
  const earlier = newDeparted();
  earlier.depart({ askedMs: NOW_MS - 1_500 });
  assert.equal(earlier.departed.nextMs(), NOW_MS + GRACE_MS);
});

test("after a stall of the process who had gone gets the grace anew, three times", () => {
  const { departed, depart, dropped } = newDeparted();
  depart();
  for (let round = 1; round <= 3; round++) {
    departed.resumed(NOW_MS + round * GRACE_MS);
    assert.deepEqual(dropped(round * GRACE_MS), [0, 0]);
  }
  departed.resumed(NOW_MS + 4 * GRACE_MS);
  assert.deepEqual(dropped(4 * GRACE_MS), [1, 0]);
});

test("a step drops five hundred at the most, publishers and subscribers together, and goes on in the next one", () => {
  const { publications, subscriptions, departed, depart, dropped } = newDeparted();
  depart({ publishers: 700, subscribers: 100 });
  depart({ publishers: 300 });
  assert.deepEqual(dropped(GRACE_MS), [500, 0]);
  assert.equal(departed.nextMs(), NOW_MS + GRACE_MS, "the rest is due now");
  const steps = [dropped(GRACE_MS), dropped(GRACE_MS), dropped(GRACE_MS)];
  const sum = (at: number) => steps.reduce((total, step) => total + (step[at] ?? 0), 0);
  assert.deepEqual([sum(0), sum(1)], [500, 100]);
  assert.ok(steps.every(([removed = 0, unsubscribed = 0]) => removed + unsubscribed <= 500));
  assert.deepEqual([publications.size, subscriptions.size, dropped(GRACE_MS)], [0, 0, [0, 0]]);
});

test("clients that held nothing count too: a step does not go through thousands of them", () => {
  const { departed, depart } = newDeparted();
  for (let at = 0; at < 501; at++) depart({ publishers: 0 });
  departed.drop(NOW_MS + GRACE_MS);
  assert.equal(departed.nextMs(), NOW_MS + GRACE_MS);
  departed.drop(NOW_MS + GRACE_MS);
  assert.equal(departed.nextMs(), Number.POSITIVE_INFINITY);
});
