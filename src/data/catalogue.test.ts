// The catalogue as a data node tells it to the sessions that watch it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CatalogueMessage } from "../cluster/messages/catalogue.ts";
import type { DataToSession } from "../cluster/messages/sessionData.ts";
import type { SlotDigest } from "../cluster/messages/slotDigest.ts";
import { ALL_SERVICES, groupScope, SlotCatalogue } from "../model/catalogue.ts";
import type { DatumVersion } from "../model/datum.ts";
import { brandServiceKey, type CatalogueScope, type ServiceKey } from "../model/ids.ts";
import { ORDERS, OTHER, PEER, put, removed, SELF, SESSION, START_MS, serving, TestData } from "./testing/harness.ts";

const STOCK = brandServiceKey("stock#@#I#@#G");
const ELSEWHERE = brandServiceKey("orders#@#I#@#H");
const STAMP = { version: 1n, registeredMs: START_MS };

type Ask = {
  readonly scope?: CatalogueScope;
  readonly known?: SlotDigest;
  readonly ahead?: readonly (readonly [ServiceKey, DatumVersion])[];
};

/** A session watches; `known` is what it has of the slot. Returns what it is told. */
function watch(node: TestData, { scope = ALL_SERVICES, known, ahead = [] }: Ask = {}, from = SESSION): string[] {
  const slots = known === undefined ? { known: [], unknown: [0] } : { known: [known], unknown: [] };
  return textOf(node.tell({ kind: "catalogueWatch", scope, ...slots, ahead }, from));
}

/** What is told of catalogues: `=` a whole slot, `~` changes; a service with its size, a held one with `?`. */
function textOf(messages: readonly DataToSession[]): string[] {
  return messages.flatMap((message) => {
    if (message.kind !== "catalogue" && message.kind !== "catalogueChanged") return [];
    const entries = message.entries.map(({ serviceKey, size }) => `${short(serviceKey)}:${size}`);
    const held = message.kind === "catalogue" ? message.held.map((id) => `${short(id)}:?`) : [];
    return [`${message.kind === "catalogue" ? "=" : "~"} ${[...entries, ...held].join(" ")}`.trimEnd()];
  });
}

const short = (serviceKey: ServiceKey) => serviceKey.replaceAll("#@#", ".").replace(".I.G", "");

/** The digest of what these messages have told. */
function digestOf(messages: readonly DataToSession[]): SlotDigest {
  const told = new SlotCatalogue(0);
  for (const message of messages)
    if (message.kind === "catalogue") for (const entry of message.entries) told.set(entry.serviceKey, entry);
  return told.digest;
}

test("who watches is told the slot, and then each step's changes with the digest that they build on", () => {
  const node = serving();
  node.publish(put());
  assert.deepEqual(watch(node), ["= orders:1"]);
  const known = digestOf(node.sent.map(({ message }) => message));
  const told = node.publish(put({ registId: "r2" }), put({ serviceKey: STOCK }));
  assert.deepEqual(textOf(told), ["~ orders:2 stock:1"]);
  const change = told.find((one): one is CatalogueMessage => one.kind === "catalogueChanged");
  assert.deepEqual(change?.kind === "catalogueChanged" && change.base, known);
  assert.deepEqual(textOf(node.publish(removed("unpublished", { ...STAMP, version: 2n }, "r1", STOCK))), ["~ stock:0"]);
});

test("an empty slot is told too, and nothing to a session that watches nothing", () => {
  const node = serving();
  assert.deepEqual(watch(node), ["="]);
  node.publish(put());
  assert.deepEqual(
    node.sent.filter(({ to, message }) => to === OTHER && message.kind === "catalogueChanged"),
    [],
  );
});

test("one group is told alone; a name that looks like the group is not taken for it", () => {
  const node = serving();
  const odd = brandServiceKey("I#@#G#@#H");
  node.publish(put(), put({ serviceKey: ELSEWHERE }), put({ serviceKey: odd }));
  assert.deepEqual(watch(node, { scope: groupScope({ namespace: "I", group: "G" }) }), ["= orders:1"]);
  assert.deepEqual(textOf(node.publish(put({ serviceKey: ELSEWHERE, registId: "r2" }))), []);
});

test("a session whose digest agrees is told nothing, one whose digest differs is told the slot anew", () => {
  const node = serving();
  node.publish(put());
  watch(node);
  const known = digestOf(node.sent.map(({ message }) => message));
  assert.deepEqual(watch(node, { known }), []);
  assert.deepEqual(watch(node, { known: { ...known, digest: known.digest ^ 1n } }), ["= orders:1"]);
});

test("a large slot is told in parts", () => {
  const node = serving();
  for (let from = 0; from < 2_001; from += 500) {
    const services = Array.from({ length: Math.min(500, 2_001 - from) }, (_, at) => `s${from + at}#@#I#@#G`);
    node.publish(...services.map((service) => put({ serviceKey: brandServiceKey(service) })));
  }
  watch(node);
  const parts = node.sent.flatMap(({ message }) => (message.kind === "catalogue" ? [message] : []));
  assert.deepEqual(
    parts.map(({ entries, isFirst, isLast }) => [entries.length, isFirst, isLast]),
    [
      [2_000, true, false],
      [1, false, true],
    ],
  );
});

test("a slot that is not complete is not told, and told when it is", () => {
  const node = new TestData();
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER);
  node.table({});
  node.publish(put());
  assert.deepEqual(watch(node), []);
  node.holdsNothing(OTHER);
  const inventory = { epoch: 1n, slot: 0, entries: [{ serviceKey: ORDERS, registId: "r1", ...STAMP }] };
  const told = node.tell({ kind: "inventory", ...inventory, isFirst: true, isLast: true });
  assert.deepEqual(textOf(told), ["= orders:1"]);
});

test("a slot that is led under a new epoch is told by digest, or as a whole to who watched before", () => {
  const node = serving();
  node.publish(put());
  watch(node);
  node.table({ leader: PEER });
  assert.deepEqual(textOf(node.publish(put({ registId: "r2" }))), [], "it does not lead");
  assert.deepEqual(watch(node), [], "it does not lead");
  node.table({ leader: SELF });
  node.holdsNothing(OTHER);
  node.sent = [];
  node.holdsNothing(SESSION);
  assert.deepEqual(textOf(node.sent.map(({ message }) => message)), ["="]);
});

test("a service that is held since a restart is named only, and told when its hold ends", () => {
  const node = serving({
    serviceSizes: new Map([
      [ORDERS, 2],
      [STOCK, 1],
    ]),
  });
  node.publish(put());
  assert.deepEqual(watch(node), ["= orders:? stock:?"]);
  assert.deepEqual(textOf(node.publish(put({ registId: "r2" }))), ["~ orders:2"]);
  const told: string[] = [];
  for (let scans = 0; scans < 4; scans++) {
    node.tell({ kind: "catalogueWatch", scope: ALL_SERVICES, known: [], unknown: [], ahead: [] });
    node.pass(5_000);
    told.push(...textOf(node.sent.map(({ message }) => message)));
  }
  assert.deepEqual(told, ["~ stock:0"]);
});

test("a version above the leader's own makes it go above, and tell that", () => {
  const node = serving();
  node.publish(put());
  const { version } = node.list().state;
  const above = { version: version + 64n, origin: 1n };
  watch(node);
  const known = digestOf(node.sent.map(({ message }) => message));
  assert.deepEqual(watch(node, { known, ahead: [[ORDERS, above]] }), ["~ orders:1"]);
  assert.ok(node.list().state.version > above.version);
});

test("an interest ends with its release, with the link, and when it is not repeated for three scans", () => {
  for (const end of [
    (node: TestData) => node.tell({ kind: "catalogueRelease", scopes: [ALL_SERVICES] }),
    (node: TestData) => node.step({ kind: "sessionDown", session: SESSION }),
    (node: TestData) => node.pass(17_000),
  ]) {
    const node = serving();
    watch(node);
    end(node);
    assert.deepEqual(textOf(node.publish(put())), []);
    assert.deepEqual([...node.data.parts.watchers], []);
  }
});

test("more than a step's work follows after a pause", () => {
  const node = serving();
  for (let from = 0; from < 4_000; from += 500) {
    const services = Array.from({ length: 500 }, (_, at) => `s${from + at}#@#I#@#G`);
    node.publish(...services.map((service) => put({ serviceKey: brandServiceKey(service) })));
  }
  assert.equal(watch(node).length, 2);
  assert.deepEqual(watch(node, {}, OTHER), []);
  node.pass(5);
  assert.equal(textOf(node.sent.map(({ message }) => message)).length, 2);
});

test("a session watches no more scopes than it may", () => {
  const node = serving();
  for (let at = 0; at < 65; at++) watch(node, { scope: groupScope({ namespace: "I", group: `g${at}` }) });
  assert.equal([...node.data.parts.watchers].length, 64);
  assert.deepEqual(watch(node, { scope: ALL_SERVICES }), []);
  assert.deepEqual(watch(node, { scope: ALL_SERVICES }, OTHER), ["="], "another session has its own");
});
