// A session's part in a contest for its client's registration, which a client at another session holds.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { clientId } from "../model/ids.ts";
import { packBoxes } from "../model/payload.ts";
import {
  batches,
  connect,
  DATA,
  disconnect,
  forgetSent,
  fromData,
  type HarnessClient,
  nowMs,
  ORDERS,
  pass,
  publish,
  reset,
  session,
  tableOf,
  taken,
  toData,
} from "./testing/harness.ts";

beforeEach(reset);

const HOLDER = clientId("10.0.0.7:1_10.1.0.1:9600");

/** The data node answers the last batch: another client holds all of it. */
function refuseAll(): void {
  const batch = toData.findLast((message) => message.kind === "publish");
  assert.ok(batch?.kind === "publish");
  const superseded = batch.items.flatMap((item) => {
    if (item.kind !== "put") return [];
    const { serviceKey, registId, version, registeredMs } = item.publication;
    const by = { version: 1n, registeredMs };
    return [{ serviceKey, registId, stamp: { version, registeredMs }, by, isRemoved: false, holder: HOLDER }];
  });
  forgetSent();
  fromData({ kind: "taken", batch: batch.batch, superseded, unlisted: [], isFull: false });
}

function challenger(): HarnessClient {
  const client = connect();
  publish(client, { version: 5n });
  refuseAll();
  return client;
}

const outcome = ({ channel }: HarnessClient) => {
  const last = channel.outcomes.at(-1);
  return last?.kind === "failed" ? last.error.code : last?.kind;
};

const puts = () =>
  batches()
    .flat()
    .flatMap((item) => (item.kind === "put" ? [item.publication] : []));

test("a client that was taken at its word hears with its next one that another client has the registration", () => {
  const client = challenger();
  assert.equal(outcome(client), "accepted", "the leader had not spoken yet");
  publish(client, { version: 6n });
  assert.equal(outcome(client), "REGISTRATION_HELD");
  const last = client.channel.outcomes.at(-1);
  assert.ok(last?.kind === "failed" && last.error.message.includes(HOLDER), "it says who has it");
  assert.deepEqual(batches(), []);
});

test("what is held elsewhere is said again every two seconds, and is the client's when it is taken", () => {
  const client = challenger();
  pass(2_000);
  assert.deepEqual(
    puts().map(({ version }) => version),
    [5n],
  );
  refuseAll();
  pass(2_000);
  taken();
  publish(client, { version: 6n });
  assert.equal(outcome(client), "accepted");
});

test("a data node that says the holder is gone is answered at once", () => {
  challenger();
  fromData({ kind: "wanted", slot: 0, keys: [[ORDERS, "p1"]], superseded: [] });
  assert.deepEqual(
    puts().map(({ version }) => version),
    [5n],
  );
});

test("a claim that got a later time is the answer to a data node that asks for its former state", () => {
  const client = connect();
  publish(client);
  const [first] = puts();
  assert.ok(first !== undefined);
  const { serviceKey, registId, version, registeredMs } = first;
  const by = { version, registeredMs: registeredMs + 700 };
  const lost = { serviceKey, registId, stamp: { version, registeredMs }, by, isRemoved: false };
  fromData({ kind: "taken", batch: 1, superseded: [lost], unlisted: [], isFull: false });
  refuseAll();
  const asked = () => fromData({ kind: "wanted", slot: 0, keys: [], superseded: [{ ...lost, isRemoved: true }] });
  asked();
  assert.deepEqual(
    puts().map((again) => again.registeredMs),
    [registeredMs + 701],
  );
  refuseAll();
  disconnect(client);
  asked();
  const [item] = batches().flat();
  assert.ok(item?.kind === "remove" && item.removal.cause === "left", "its client is gone");
});

test("a client that is gone has its grace at its last session, though that one's clock is behind", () => {
  const client = connect();
  publish(client);
  disconnect(client);
  const [first] = puts();
  assert.ok(first !== undefined);
  const { serviceKey, registId, version, registeredMs } = first;
  const by = { version, registeredMs: registeredMs + 80_000 };
  const lost = { serviceKey, registId, stamp: { version, registeredMs }, by, isRemoved: false };
  const asked = () => fromData({ kind: "wanted", slot: 0, keys: [], superseded: [{ ...lost, isRemoved: true }] });
  const said = () => {
    const items = batches().flat();
    taken();
    forgetSent();
    return items.map((item) =>
      item.kind === "put" ? item.publication.registeredMs : [item.removal.cause, item.removal.stamp.registeredMs],
    );
  };
  forgetSent();
  fromData({ kind: "taken", batch: 1, superseded: [lost], unlisted: [], isFull: false });
  assert.deepEqual(batches(), []);
  asked();
  assert.deepEqual(said(), [registeredMs + 80_001], "only its session before has said that it has left");
  asked();
  assert.deepEqual(said(), [registeredMs + 80_001], "the question is repeated with a new link");
  pass(1_100);
  assert.deepEqual(said(), [["left", registeredMs + 80_001]]);
});

test("a client that is gone has its grace also if its own former connection held what it wanted", () => {
  for (const host of ["10.0.0.7", "10.0.0.8"]) {
    reset();
    const client = connect(undefined, clientId(`${host}:2_10.1.0.2:9600`));
    publish(client);
    const [first] = puts();
    assert.ok(first !== undefined);
    const { serviceKey, registId, version, registeredMs } = first;
    const by = { version, registeredMs: registeredMs + 700 };
    const lost = { serviceKey, registId, stamp: { version, registeredMs }, by, isRemoved: false };
    fromData({ kind: "taken", batch: 1, superseded: [lost], unlisted: [], isFull: false });
    refuseAll();
    disconnect(client);
    forgetSent();
    fromData({ kind: "wanted", slot: 0, keys: [[ORDERS, "p1"]], superseded: [] });
    const isItself = host === "10.0.0.7";
    assert.deepEqual(
      puts().map((again) => again.registeredMs),
      isItself ? [registeredMs + 701] : [],
    );
    fromData({ kind: "wanted", slot: 0, keys: [], superseded: [{ ...lost, isRemoved: true }] });
    if (isItself) taken();
    const last = batches().flat().at(-1);
    assert.equal(last?.kind, isItself ? "put" : "remove");
  }
});

test("what is held elsewhere is not compared, and not said for a client that is gone", () => {
  const client = challenger();
  disconnect(client);
  fromData({ kind: "differs", slots: [0] });
  const inventory = toData.find((message) => message.kind === "inventory");
  assert.ok(inventory?.kind === "inventory" && inventory.entries.length === 0);
  fromData({ kind: "wanted", slot: 0, keys: [[ORDERS, "p1"]], superseded: [] });
  pass(900);
  assert.deepEqual(puts(), []);
});

test("a claim that is under way is in the inventory behind it, for the data node may have taken it", () => {
  challenger();
  const inventories = () =>
    toData.flatMap((message) => (message.kind === "inventory" ? [message.entries.map(({ version }) => version)] : []));
  fromData({ kind: "differs", slots: [0] });
  fromData({ kind: "wanted", slot: 0, keys: [[ORDERS, "p1"]], superseded: [] });
  fromData({ kind: "differs", slots: [0] });
  assert.deepEqual(inventories(), [[], [5n]]);
});

test("a new leader hears first of what others hold", () => {
  challenger();
  const message = { kind: "slotTable", table: tableOf(DATA, 2n), versionFloor: 0n } as const;
  session.step({ kind: "fromMeta", message }, nowMs);
  pass(5_900);
  assert.deepEqual(puts(), []);
  pass(100);
  assert.equal(puts().length, 1);
});

test("what a client of the holder's host wants is said to a new leader at once, until the holder has answered", () => {
  const client = connect(undefined, clientId("10.0.0.7:2_10.1.0.2:9600"));
  publish(client, { version: 5n });
  refuseAll();
  const lead = (epoch: bigint): void => {
    forgetSent();
    const message = { kind: "slotTable", table: tableOf(DATA, epoch), versionFloor: 0n } as const;
    session.step({ kind: "fromMeta", message }, nowMs);
  };
  lead(2n);
  assert.deepEqual(
    puts().map(({ version }) => version),
    [5n],
  );
  const digests = toData.find((message) => message.kind === "digests");
  assert.ok(digests?.kind === "digests" && digests.slots.some(({ count }) => count === 1), "and compared with it");
  for (let refusals = 0; refusals < 8; refusals++) {
    refuseAll();
    pass(2_000);
  }
  refuseAll();
  lead(3n);
  assert.deepEqual(puts(), [], "the holder has answered meanwhile");
});

test("the holder that comes to this session has its registration, under whatever version it says", () => {
  const stranger = challenger();
  const owner = connect();
  publish(owner, { version: 2n });
  taken();
  assert.deepEqual([outcome(owner), puts().map(({ version }) => version)], ["accepted", [2n]]);
  publish(stranger, { version: 6n });
  assert.equal(outcome(stranger), "REGISTRATION_HELD");
});

test("the holder's word is not held up by what a stranger waits to say again", () => {
  challenger();
  publish(connect(), { registId: "p2" });
  pass(2_000);
  const batchOfOthers = toData.findLast((message) => message.kind === "publish");
  publish(connect(), { version: 2n });
  forgetSent();
  assert.ok(batchOfOthers?.kind === "publish");
  fromData({ kind: "taken", batch: batchOfOthers.batch, superseded: [], unlisted: [], isFull: false });
  assert.deepEqual(
    puts().map(({ registId, version }) => [registId, version]),
    [["p1", 2n]],
  );
});

test("the holder takes back from this session what a stranger waits for there", () => {
  challenger();
  const owner = connect();
  const key = { serviceKey: ORDERS, registId: "p1", version: 2n };
  session.step({ kind: "unpublished", client: owner.id, request: 2, key }, nowMs);
  const [item] = batches().flat();
  assert.ok(item?.kind === "remove" && item.removal.stamp.version === 2n && item.removal.client === owner.id);
});

test("large ones are said again a few at a time, in turn", () => {
  const client = connect();
  const payload = packBoxes([{ utf8: new Uint8Array(700_000).fill(97), units: 700_000 }]);
  const ids = ["p1", "p2", "p3"];
  for (const registId of ids) {
    publish(client, { registId, payload });
    refuseAll();
  }
  const saidInARound = () => {
    pass(2_000);
    const said: string[] = [];
    for (; puts().length > 0; refuseAll()) said.push(...puts().map(({ registId }) => registId));
    return said;
  };
  assert.deepEqual([saidInARound(), saidInARound()[0]], [["p1", "p2"], "p3"]);
});

/** A data node reports that another session's client, at the same address, wants this client's registration. */
function challengeHolder(version = 5n): HarnessClient {
  const client = connect();
  publish(client, { version: 5n });
  taken();
  forgetSent();
  const registrations = [{ serviceKey: ORDERS, registId: "p1", version, registeredMs: nowMs }];
  entry = registrations;
  client.channel.heardMs = nowMs - 1;
  return client;
}

let entry: readonly { serviceKey: typeof ORDERS; registId: string; version: bigint; registeredMs: number }[] = [];
const yielded = () => toData.flatMap((message) => (message.kind === "yielded" ? [message.registrations] : []));

test("what a client holds whose connection is lost is yielded at once to who wants it elsewhere", () => {
  const client = challengeHolder();
  disconnect(client);
  fromData({ kind: "challenged", registrations: entry });
  assert.deepEqual([yielded(), client.channel.questions], [[entry], []]);
});

test("a client that is there is asked: what it does not answer for within two seconds is yielded", () => {
  const client = challengeHolder();
  fromData({ kind: "challenged", registrations: entry });
  assert.equal(client.channel.questions.length, 1);
  pass(1_900);
  assert.deepEqual(yielded(), []);
  pass(100);
  assert.deepEqual(yielded(), [entry]);
});

test("a client that answers keeps what it holds, and goes on under its own versions", () => {
  const client = challengeHolder();
  fromData({ kind: "challenged", registrations: entry });
  client.channel.heardMs = nowMs + 1;
  pass(5_000);
  assert.deepEqual(yielded(), []);
  publish(client, { version: 6n });
  assert.deepEqual(
    puts().map(({ version }) => version),
    [6n],
  );
});

test("nobody is asked for what has changed since, or is not here", () => {
  const client = challengeHolder(4n);
  disconnect(client);
  fromData({ kind: "challenged", registrations: entry });
  fromData({ kind: "challenged", registrations: entry.map((one) => ({ ...one, registId: "p9" })) });
  assert.deepEqual(yielded(), []);
});
