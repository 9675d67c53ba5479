// The owner of a registration that two connections want.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  batches,
  connect,
  disconnect,
  forgetSent,
  fromData,
  type HarnessClient,
  nowMs,
  ORDERS,
  pass,
  publish,
  removals,
  reset,
  START_MS,
  session,
  stall,
  subscribe,
  taken,
} from "./testing/harness.ts";

beforeEach(reset);

/** A client at this address; all tests begin with `owner`, whose registration is at the data node. */
function clientAt(address: string): HarnessClient {
  const client = connect();
  client.channel.address = address;
  return client;
}

function owner(changes = {}): HarnessClient {
  const client = clientAt("10.0.0.7");
  publish(client, { version: 5n, ...changes });
  taken();
  forgetSent();
  return client;
}

function unpublish(client: HarnessClient, version: bigint): void {
  session.step(
    { kind: "unpublished", client: client.id, request: 2, key: { serviceKey: ORDERS, registId: "p1", version } },
    nowMs,
  );
}

const outcome = ({ channel }: HarnessClient) => {
  const last = channel.outcomes.at(-1);
  return last?.kind === "failed" ? last.error.code : last?.kind;
};

/** The client never sends anything again. */
const silence = ({ channel }: HarnessClient) => {
  channel.heardMs = nowMs - 1;
};

test("a stranger neither replaces nor removes what a living client holds, and is told who has it", () => {
  const held = owner();
  const stranger = clientAt("10.6.6.6");
  publish(stranger, { version: 6n });
  assert.equal(outcome(stranger), "REGISTRATION_HELD");
  const last = stranger.channel.outcomes.at(-1);
  assert.ok(last?.kind === "failed" && last.error.message.includes(held.id), "it says who has it");
  unpublish(stranger, 1n << 40n);
  assert.equal(outcome(stranger), "REGISTRATION_HELD");
  assert.deepEqual([batches(), held.channel.questions], [[], []]);
  publish(held, { version: 6n });
  assert.deepEqual([outcome(held), batches().length], ["accepted", 1]);
});

test("a stranger does not get what a silent client holds before its connection is ended and its grace is over", () => {
  const held = owner();
  silence(held);
  const stranger = clientAt("10.6.6.6");
  for (let tries = 0; tries < 40; tries++) {
    publish(stranger, { version: 6n });
    pass(500);
  }
  disconnect(held);
  publish(stranger, { version: 6n });
  assert.equal(outcome(stranger), "REGISTRATION_HELD");
  pass(1_000);
  publish(stranger, { version: 6n });
  assert.equal(outcome(stranger), "accepted");
});

test("a client whose connection is lost has its registrations at once when it is back", () => {
  disconnect(owner());
  const back = clientAt("10.0.0.7");
  publish(back, { version: 5n });
  assert.deepEqual([outcome(back), batches().length], ["accepted", 1]);
});

test("a client whose old connection only seems to stand has its own after two seconds, listed meanwhile", () => {
  const old = owner();
  silence(old);
  const back = clientAt("10.0.0.7");
  const outcomes = [0, 500, 1_000, 1_500, 2_000].map((atMs) => {
    if (atMs > 0) pass(500);
    publish(back, { version: 6n });
    return outcome(back);
  });
  assert.deepEqual(outcomes, [...Array.from({ length: 4 }, () => "REGISTRATION_HELD"), "accepted"]);
  disconnect(old);
  pass(5_000);
  assert.deepEqual([old.channel.questions.length, removals()], [1, []]);
});

test("of two at one address the one that is there and answers keeps it", () => {
  const held = owner();
  const other = clientAt("10.0.0.7");
  for (let tries = 0; tries < 20; tries++) {
    held.channel.heardMs = nowMs;
    publish(other, { version: 6n });
    assert.equal(outcome(other), "REGISTRATION_HELD");
    pass(500);
  }
  assert.ok(held.channel.questions.length >= 10);
});

test("a client that never answers questions has the time until its own next word", () => {
  const held = owner();
  silence(held);
  held.channel.answersQuestions = false;
  const other = clientAt("10.0.0.7");
  publish(other, { version: 6n });
  pass(15_500);
  publish(other, { version: 6n });
  assert.equal(outcome(other), "REGISTRATION_HELD");
  pass(1_000);
  publish(other, { version: 6n });
  assert.equal(outcome(other), "accepted");
});

test("what was not read while this process stood still is not taken for silence", () => {
  const held = owner();
  silence(held);
  const other = clientAt("10.0.0.7");
  publish(other, { version: 6n });
  stall(5_000);
  publish(other, { version: 6n });
  assert.equal(outcome(other), "REGISTRATION_HELD");
});

test("the number of its process tells a client from others at its address, and at another address", () => {
  disconnect(owner({ processId: "a" }));
  const other = clientAt("10.0.0.7");
  publish(other, { version: 6n, processId: "b" });
  assert.equal(outcome(other), "REGISTRATION_HELD");
  const back = clientAt("10.9.9.9");
  publish(back, { version: 6n, processId: "a" });
  assert.equal(outcome(back), "accepted");
});

test("another connection may not name a version far above the held one; its owner may, and may begin with one", () => {
  const client = owner({ version: 1n });
  const far = 1n + (1n << 44n) + 1n;
  const other = clientAt("10.0.0.7");
  publish(other, { version: far });
  assert.equal(outcome(other), "FIELD_INVALID");
  publish(other, { version: far - 1n });
  assert.equal(outcome(other), "REGISTRATION_HELD", "the largest step");
  publish(client, { version: far });
  assert.equal(outcome(client), "accepted", "half a year of a count in microseconds");
  publish(client, { registId: "p2", version: BigInt(START_MS) * 1_000n });
  assert.equal(outcome(client), "accepted");
});

test("a client that was refused because of its old connection has the time for its next try when that ends", () => {
  const old = owner();
  const back = clientAt("10.0.0.7");
  publish(back, { version: 5n });
  disconnect(old);
  pass(1_200);
  publish(back, { version: 5n });
  assert.deepEqual([outcome(back), removals()], ["accepted", []]);
});

test("a stranger that names what a client subscribed does not keep that client's registrations listed", () => {
  const held = owner();
  subscribe(held);
  disconnect(held);
  const stranger = clientAt("10.6.6.6");
  subscribe(stranger);
  pass(1_000);
  assert.equal(removals().length, 1);
});

test("nor does one that takes what the client had given up to another session", () => {
  const held = owner();
  publish(held, { registId: "p2" });
  const stamp = { version: 1n, registeredMs: nowMs };
  const by = { version: 2n, registeredMs: nowMs };
  const superseded = [{ serviceKey: ORDERS, registId: "p2", stamp, by, isRemoved: false }];
  fromData({ kind: "taken", batch: 2, superseded, unlisted: [], isFull: false });
  disconnect(held);
  const stranger = clientAt("10.6.6.6");
  publish(stranger, { registId: "p2" });
  taken();
  pass(1_000);
  assert.equal(removals().length, 1);
});
