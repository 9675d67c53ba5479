// Followers of the lists of a whole group.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { type CatalogueEntry, groupScope, SlotCatalogue } from "../model/catalogue.ts";
import { brandServiceKey, type ServiceKey } from "../model/ids.ts";
import { readNamePattern } from "../model/namePattern.ts";
import type { GroupFollower } from "../registry/registry.ts";
import {
  connect,
  fromData,
  nowMs,
  ORDERS,
  ORIGIN,
  pass,
  reset,
  START_MS,
  session,
  subscribe,
  toData,
} from "./testing/harness.ts";

beforeEach(reset);

const STOCK = brandServiceKey("stock#@#I#@#G");
const SCOPE = groupScope({ namespace: "I", group: "G" });
// A version of the time at which the tests run, as leaders give it.
const BASE = BigInt(START_MS - 1_546_272_000_000) << 15n;

const entry = (serviceKey: ServiceKey, version: bigint, size = 1): CatalogueEntry => ({
  ...{ serviceKey, version: BASE + version, origin: ORIGIN, size },
});

const nameOf = (serviceKey: ServiceKey) => serviceKey.split("#")[0];

/** Follows the group; `heard` has what came. */
function follow(pattern = "") {
  const heard: string[] = [];
  const asker: GroupFollower = {
    listed: ({ serviceKey, version }) => void heard.push(`${nameOf(serviceKey)} v${version - BASE}`),
    gone: (serviceKey) => void heard.push(`-${nameOf(serviceKey)}`),
    begun: (isWhole) => void heard.push(isWhole ? "whole" : "begun"),
    failed: ({ code }) => void heard.push(code),
  };
  const name = readNamePattern(pattern === "" ? "*" : pattern);
  session.step({ kind: "followedGroup", asker, scope: SCOPE, pattern: name, untilMs: nowMs + 3_000 }, nowMs);
  const leave = () => session.step({ kind: "unfollowedGroup", asker }, nowMs);
  return { heard, leave };
}

function whole(...entries: readonly CatalogueEntry[]): void {
  fromData({ kind: "catalogue", scope: SCOPE, slot: 0, entries, held: [], isFirst: true, isLast: true });
}

function changed(before: readonly CatalogueEntry[], ...entries: readonly CatalogueEntry[]): void {
  const told = new SlotCatalogue(0);
  for (const one of before) told.set(one.serviceKey, one);
  fromData({ kind: "catalogueChanged", scope: SCOPE, base: told.digest, entries });
}

function list(serviceKey: ServiceKey, version: bigint): void {
  fromData({ kind: "snapshot", datum: { serviceKey, version: BASE + version, origin: ORIGIN, publications: [] } });
}

const fetched = () => toData.flatMap((message) => (message.kind === "fetch" ? [nameOf(message.serviceKey)] : []));
const released = () => toData.flatMap((message) => (message.kind === "release" ? message.serviceKeys.map(nameOf) : []));

test("a follower hears the list of each service of the group, and then each newer one", () => {
  const { heard } = follow();
  whole(entry(ORDERS, 1n), entry(STOCK, 2n));
  assert.deepEqual(fetched(), ["orders", "stock"]);
  list(ORDERS, 1n);
  assert.deepEqual(heard, ["orders v1"]);
  list(STOCK, 2n);
  assert.deepEqual(heard.splice(0), ["orders v1", "stock v2", "whole"]);
  list(STOCK, 3n);
  assert.deepEqual(heard, ["stock v3"]);
});

test("services come and go with the catalogue, and a list that is not followed any more is released", () => {
  const { heard } = follow();
  const orders = entry(ORDERS, 1n);
  whole(orders);
  list(ORDERS, 1n);
  changed([orders], entry(STOCK, 2n));
  assert.deepEqual(fetched(), ["orders", "stock"]);
  list(STOCK, 2n);
  assert.deepEqual(heard.splice(0), ["orders v1", "whole", "stock v2"]);
  changed([orders, entry(STOCK, 2n)], entry(ORDERS, 3n, 0));
  assert.deepEqual([heard, released()], [["-orders"], ["orders"]]);
  list(ORDERS, 4n);
  assert.deepEqual(heard, ["-orders"]);
});

test("only the services of the pattern are followed, and a list with subscribers is not released", () => {
  subscribe(connect());
  const { heard, leave } = follow("ord*");
  whole(entry(ORDERS, 1n), entry(STOCK, 2n));
  assert.deepEqual(fetched(), ["orders"]);
  list(ORDERS, 1n);
  leave();
  list(ORDERS, 2n);
  assert.deepEqual([heard, released()], [["orders v1", "whole"], []]);
});

test("followers share lists; the last one that leaves releases them, and the catalogue with them", () => {
  const one = follow();
  whole(entry(ORDERS, 1n));
  list(ORDERS, 1n);
  const other = follow();
  pass(10);
  assert.deepEqual([other.heard, fetched()], [["orders v1", "whole"], ["orders"]]);
  one.leave();
  one.leave();
  assert.deepEqual(released(), []);
  list(ORDERS, 2n);
  assert.deepEqual([one.heard.at(-1), other.heard.at(-1)], ["whole", "orders v2"]);
  other.leave();
  assert.deepEqual(released(), ["orders"]);
  pass(61_000);
  assert.ok(toData.some(({ kind }) => kind === "catalogueRelease"));
});

test("a follower begins with what there is when its time is over", () => {
  const { heard } = follow();
  whole(entry(ORDERS, 1n), entry(STOCK, 2n));
  list(ORDERS, 1n);
  pass(3_000);
  assert.deepEqual(heard.splice(0), ["orders v1", "begun"]);
  list(STOCK, 2n);
  assert.deepEqual(heard, ["stock v2"]);
  reset();
  const early = follow();
  pass(3_000);
  assert.deepEqual(early.heard, ["begun"], "no slot was told");
  whole(entry(ORDERS, 1n));
  list(ORDERS, 1n);
  assert.deepEqual(early.heard, ["begun", "orders v1"]);
});

test("a group that is too large is not followed, and nothing of it is kept", () => {
  const { heard } = follow();
  whole(entry(ORDERS, 1n), entry(STOCK, 2n, 300_000));
  assert.deepEqual(heard, ["CATALOGUE_TOO_LARGE"]);
  assert.deepEqual(released().sort(), ["orders", "stock"]);
  list(ORDERS, 2n);
  assert.deepEqual(heard.length, 1);
  reset();
  const many = Array.from({ length: 64 }, () => follow());
  assert.deepEqual(follow().heard, ["QUERIES_EXHAUSTED"]);
  many[0]?.leave();
  assert.deepEqual(follow().heard, []);
});
