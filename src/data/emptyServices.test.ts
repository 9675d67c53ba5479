import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataToSession } from "../cluster/messages/sessionData.ts";
import { type DatumVersion, NO_DATUM_VERSION } from "../model/datum.ts";
import { brandServiceKey } from "../model/ids.ts";
import { kinds, ORDERS, OTHER, put, removed, START_MS, serving } from "./testing/harness.ts";

/** A node that remembers two services without publishers, and has been asked for two. */
function full() {
  const node = serving({}, { emptyServicesMax: 2 });
  for (const name of ["a", "b"]) {
    const serviceKey = brandServiceKey(`${name}#@#I#@#G`);
    node.tell({ kind: "fetch", serviceKey, have: NO_DATUM_VERSION }, OTHER);
  }
  return node;
}

function listOf(messages: readonly DataToSession[]): { have: DatumVersion; size: number } {
  const [list] = messages;
  assert.ok(list?.kind === "snapshot" && messages.length === 1);
  const { version, origin, publications } = list.datum;
  return { have: { version, origin }, size: publications.length };
}

test("beyond the bound a service without publishers is empty, once, and a scan hears its first publisher", () => {
  const node = full();
  const { have, size } = listOf(node.fetch());
  assert.equal(size, 0);
  const scan = () => node.tell({ kind: "scan", versions: [[ORDERS, have]] }, OTHER);
  assert.deepEqual(scan(), []);
  assert.deepEqual(kinds(node.fetch(have)), ["current"]);
  assert.deepEqual(kinds(node.publish(put())), ["taken"]);
  assert.equal(listOf(scan()).size, 1);
  assert.deepEqual(kinds(node.publish(put({ registId: "r2" }))), ["delta", "taken"], "from then on it is told");
});

test("who has a list of a service that was forgotten since hears that it is empty", () => {
  const node = full();
  node.publish(put());
  const { have } = listOf(node.fetch());
  node.tell({ kind: "release", serviceKeys: [ORDERS] }, OTHER);
  node.publish(removed("unpublished", { version: 2n, registeredMs: START_MS }));
  node.pass(180_001);
  for (const name of ["a", "b"]) {
    node.tell({ kind: "fetch", serviceKey: brandServiceKey(`${name}#@#I#@#G`), have: NO_DATUM_VERSION }, OTHER);
  }
  const after = listOf(node.tell({ kind: "scan", versions: [[ORDERS, have]] }, OTHER));
  assert.ok(after.size === 0 && after.have.version > have.version);
  assert.deepEqual(node.tell({ kind: "scan", versions: [[ORDERS, after.have]] }, OTHER), []);
});

test("what is held after a restart is not said to be empty, however many are", () => {
  const node = serving({ serviceSizes: new Map([[ORDERS, 1]]) }, { emptyServicesMax: 0 });
  assert.deepEqual(kinds(node.fetch()), ["notReady"]);
  node.publish(put());
  assert.equal(listOf(node.fetch()).size, 1);
});
