// A claim of one client that waits behind the holding of another client at the same session.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { unlimitedBudget } from "../base/budget.ts";
import { RegistryError } from "../base/errors.ts";
import { clientId, nodeId } from "../model/ids.ts";
import { slotOf } from "../model/slot.ts";
import type { Client } from "./client.ts";
import { Publications } from "./publications.ts";
import {
  batches,
  connect,
  disconnect,
  fromData,
  type HarnessClient,
  nowMs,
  ORDERS,
  pass,
  publish,
  reset,
  session,
  taken,
  toData,
} from "./testing/harness.ts";
import { COSTS, NOW_MS, newClient, publishRequest } from "./testing/parts.ts";

const KEY = { serviceKey: ORDERS, registId: "p1" };
const HOLDER = clientId("10.0.0.8:1_10.1.0.1:9600");

beforeEach(reset);

const saidLast = () => {
  const item = batches().at(-1)?.at(-1);
  return item?.kind === "put" ? [item.publication.version, item.publication.owner.client] : item?.kind;
};

function takeBack(client: HarnessClient, version: bigint): void {
  session.step({ kind: "unpublished", client: client.id, request: 2, key: { ...KEY, version } }, nowMs);
}

/** A stranger was answered with success, and then the owner, whose registration it is, comes to this session. */
function ownerComes(): { owner: HarnessClient; stranger: HarnessClient } {
  const stranger = connect();
  publish(stranger, { version: 4n });
  const batch = toData.findLast((message) => message.kind === "publish");
  const [item] = batch?.kind === "publish" ? batch.items : [];
  assert.ok(batch?.kind === "publish" && item?.kind === "put");
  const { version, registeredMs } = item.publication;
  const by = { version: 2n, registeredMs };
  const superseded = [{ ...KEY, stamp: { version, registeredMs }, by, isRemoved: false, holder: HOLDER }];
  fromData({ kind: "taken", batch: batch.batch, superseded, unlisted: [], isFull: false });
  const owner = connect();
  owner.channel.address = "10.0.0.8";
  publish(owner, { version: 2n });
  taken();
  return { owner, stranger };
}

test("a stranger that was taken at its word has the registration when the owner takes it back", () => {
  const { owner, stranger } = ownerComes();
  pass(10_000);
  assert.deepEqual(saidLast(), [2n, owner.id], "it is not said while the owner is there");
  takeBack(owner, 3n);
  taken();
  assert.deepEqual(saidLast(), [4n, stranger.id]);
});

test("a stranger that was taken at its word has the registration when the owner is gone", () => {
  const { owner, stranger } = ownerComes();
  disconnect(owner);
  pass(60_000);
  taken();
  assert.deepEqual(saidLast(), [4n, stranger.id]);
});

test("a stranger that goes first takes nothing of the owner's along", () => {
  const { owner, stranger } = ownerComes();
  disconnect(stranger);
  pass(60_000);
  assert.deepEqual(saidLast(), [2n, owner.id]);
  takeBack(owner, 3n);
  taken();
  pass(10_000);
  assert.equal(saidLast(), "remove");
});

test("a stranger that takes its claim back, in vain at first, does not have the registration later", () => {
  const { owner, stranger } = ownerComes();
  takeBack(stranger, 5n);
  const outcome = stranger.channel.outcomes.at(-1);
  assert.equal(outcome?.kind === "failed" ? outcome.error.code : outcome?.kind, "REGISTRATION_HELD");
  takeBack(owner, 3n);
  taken();
  pass(10_000);
  assert.equal(saidLast(), "remove");
});

test("a stranger whose registrations an operator ends takes nothing of the owner's along, nor has it later", () => {
  const { owner, stranger } = ownerComes();
  session.step({ kind: "cleared", client: stranger.id, of: "publications" }, nowMs);
  pass(10_000);
  assert.deepEqual(saidLast(), [2n, owner.id]);
  takeBack(owner, 3n);
  taken();
  pass(10_000);
  assert.equal(saidLast(), "remove");
});

test("when an operator ends the owner's registrations, the stranger has its own", () => {
  const { owner, stranger } = ownerComes();
  session.step({ kind: "cleared", client: owner.id, of: "publications" }, nowMs);
  taken();
  pass(10_000);
  taken();
  assert.deepEqual(saidLast(), [4n, stranger.id]);
});

const SLOTS = 2;

function clientAt(address: string) {
  const client = newClient(budget);
  client.channel.address = address;
  return client;
}

const budget = unlimitedBudget();

function put(all: Publications, client: Client, version: bigint): void {
  assert.ok(!(all.put(client, publishRequest({ version }), NOW_MS) instanceof RegistryError));
}

/** Another session's client holds the registration that this session sent last. */
function refuse(all: Publications): void {
  const held = all.get(KEY);
  assert.ok(held);
  const stamp = { version: held.version, registeredMs: held.registeredMs };
  all.heldElsewhere({ ...KEY, stamp, by: stamp, isRemoved: false, holder: HOLDER });
}

test("several wait in a line, each client once, and each is charged for what it wants until it is gone", () => {
  const all = new Publications(nodeId("session-1"), COSTS);
  all.divide(SLOTS);
  const [a, b, c] = [clientAt("10.0.0.1"), clientAt("10.0.0.2"), clientAt("10.0.0.3")];
  const holders = [a, b, a, c];
  for (const [at, client] of holders.entries()) {
    put(all, client, BigInt(at + 1));
    if (client !== c) refuse(all);
  }
  const bytes = COSTS.publication(publishRequest());
  assert.equal(all.chargedBytes, 3 * bytes);
  assert.equal(all.size, 1);
  assert.equal(all.digestOf(slotOf(ORDERS, SLOTS)).count, 1);
  assert.deepEqual(all.dropSome(b, 9), [], "no data node has it from here");
  assert.equal(all.dropSome(c, 9).length, 1);
  assert.deepEqual([all.get(KEY)?.version, all.isContested, all.digestOf(slotOf(ORDERS, SLOTS)).count], [3n, true, 0]);
  assert.deepEqual([all.chargedBytes, ...[a, b, c].map(({ account }) => account.heldBytes)], [bytes, bytes, 0, 0]);
  all.dropSome(a, 9);
  assert.deepEqual([all.size, all.chargedBytes, all.get(KEY)], [0, 0, undefined]);
  assert.deepEqual(
    [a, b, c].map(({ publications }) => publications.size),
    [0, 0, 0],
  );
});

test("a client's next connection does not wait behind the last one, and a client that is gone does not wait", () => {
  const stays = (address: string, isGone: boolean) => {
    const all = new Publications(nodeId("session-1"), COSTS);
    const [first, next] = [clientAt("10.0.0.1"), clientAt(address)];
    put(all, first, 1n);
    refuse(all);
    if (isGone) first.departedMs = NOW_MS;
    put(all, next, 1n);
    assert.equal(next.publications.size, 1);
    return first.publications.size === 1;
  };
  assert.deepEqual([stays("10.0.0.2", false), stays("10.0.0.1", false), stays("10.0.0.2", true)], [true, false, false]);
});

test("a claim that a data node took before it heard of the holding is in front, the holding waits behind it", () => {
  const all = new Publications(nodeId("session-1"), COSTS);
  all.divide(SLOTS);
  const [claimant, holder] = [clientAt("10.0.0.1"), clientAt("10.0.0.2")];
  put(all, claimant, 8n);
  refuse(all);
  const claim = all.get(KEY);
  put(all, holder, 1n);
  const held = all.get(KEY);
  assert.ok(claim && held && held.version === 1n);
  const stamp = { version: held.version, registeredMs: held.registeredMs };
  const by = { version: claim.version, registeredMs: claim.registeredMs };
  assert.equal(all.superseded({ ...KEY, stamp, by, isRemoved: false }), undefined);
  assert.equal(all.get(KEY), claim);
  assert.deepEqual([all.digestOf(slotOf(ORDERS, SLOTS)).count, all.isContested, all.size], [1, false, 1]);
  assert.equal(all.dropSome(claimant, 9).length, 1);
  assert.deepEqual([all.get(KEY), all.isContested], [held, true], "it is said again");
});
