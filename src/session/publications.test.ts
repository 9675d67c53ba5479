import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget, unlimitedBudget } from "../base/budget.ts";
import { RegistryError } from "../base/errors.ts";
import type { Superseded } from "../cluster/messages/sessionData.ts";
import { clientId, nodeId } from "../model/ids.ts";
import { listBytesOf } from "../model/listBytes.ts";
import { slotOf } from "../model/slot.ts";
import type { PublishRequest } from "../registry/registry.ts";
import type { Client } from "./client.ts";
import { Publications, type Published } from "./publications.ts";
import { COSTS, NOW_MS, newClient, ORDERS, publishRequest, STOCK, serviceOf } from "./testing/parts.ts";

const SLOTS = 2;
const SLOT = slotOf(ORDERS, SLOTS);
const KEY = { serviceKey: ORDERS, registId: "p1" };

function newPublications({ slots = SLOTS }: { slots?: number | undefined } = {}): Publications {
  const publications = new Publications(nodeId("session-1"), COSTS);
  publications.divide(slots);
  return publications;
}

/** Publishes a registration that is neither refused nor older. */
function put(all: Publications, client: Client, changes: Partial<PublishRequest> = {}, nowMs = NOW_MS): Published {
  const taken = all.put(client, publishRequest(changes), nowMs);
  assert.ok(taken !== undefined && !(taken instanceof RegistryError));
  return taken;
}

/** A client's registration lost against `by`. */
function lost(all: Publications, changes: Partial<Superseded> = {}) {
  const { version, registeredMs } = all.get(KEY) ?? { version: 1n, registeredMs: NOW_MS };
  const by = { version, registeredMs: NOW_MS + 700 };
  return all.superseded({ ...KEY, stamp: { version, registeredMs }, by, isRemoved: false, ...changes });
}

/** Its service's list has no room for the registration. */
function turnDown(all: Publications, registId = "p1", listed?: { version: bigint; registeredMs: number }): void {
  const held = all.get({ serviceKey: ORDERS, registId });
  assert.ok(held);
  const stamp = { version: held.version, registeredMs: held.registeredMs };
  all.turnedDown({ serviceKey: ORDERS, registId, stamp, bytes: 1, bytesMax: 1, ...(listed && { listed }) });
}

/** Another client holds the registration, at another session. */
function lostToHolder(all: Publications, registId: string, holder = clientId("somebody else")): void {
  const held = all.get({ serviceKey: ORDERS, registId });
  assert.ok(held);
  const stamp = { version: held.version, registeredMs: held.registeredMs };
  all.heldElsewhere({ serviceKey: ORDERS, registId, stamp, by: stamp, isRemoved: false, holder });
}

const bytes = (length: number) => new Uint8Array(length).fill(2);

test("a claim that waits and loses to another claim by its time asks the new holder, with a later time", () => {
  for (const byMs of [NOW_MS, NOW_MS + 700]) {
    const all = newPublications();
    put(all, newClient());
    lostToHolder(all, "p1");
    const again = lost(all, { by: { version: 1n, registeredMs: byMs } });
    assert.equal(again?.registeredMs, byMs + 1);
    lostToHolder(all, "p1");
    assert.deepEqual(all.claims({ publicationsMax: 1, bytesMax: 1 }), [again], "it waits again");
  }
});

test("of one version an older living connection does not take what a later one holds, but what a dead one held", () => {
  const all = newPublications();
  const [first, second] = [newClient(), newClient()];
  put(all, second);
  assert.equal(all.put(first, publishRequest(), NOW_MS), undefined);
  assert.ok(put(all, first, { version: 2n }), "a newer version is another matter");
  put(all, second, { version: 2n });
  second.departedMs = NOW_MS;
  assert.equal(put(all, first, { version: 2n }).before, second);
});

test("a lower version than what is held is not taken, whoever says it", () => {
  const all = newPublications();
  const client = newClient();
  put(all, client, { version: 5n });
  assert.equal(all.put(client, publishRequest({ version: 4n }), NOW_MS), undefined);
  assert.equal(all.put(newClient(), publishRequest({ version: 4n }), NOW_MS), undefined);
  assert.equal(all.get(KEY)?.version, 5n);
});

test("the same version again within one millisecond is later than the first, and so is its end", () => {
  const all = newPublications();
  const client = newClient();
  assert.equal(put(all, client).publication.registeredMs, NOW_MS);
  assert.equal(put(all, client, {}, NOW_MS + 0.5).publication.registeredMs, NOW_MS + 1);
  assert.equal(all.unpublish(client, { ...KEY, version: 1n }, NOW_MS)?.removal.stamp.registeredMs, NOW_MS + 2);
});

test("a clock that stands behind what is held does not lead back", () => {
  const all = newPublications();
  const client = newClient();
  put(all, client, {}, NOW_MS + 1_000);
  assert.equal(put(all, client, {}, NOW_MS).publication.registeredMs, NOW_MS + 1_001);
  assert.equal(put(all, client, {}, NOW_MS + 5_000).publication.registeredMs, NOW_MS + 5_000);
});

test("what another connection takes over belongs to that one, and to its account", () => {
  const all = newPublications();
  const budget = unlimitedBudget();
  const [first, second] = [newClient(budget), newClient(budget)];
  assert.equal(put(all, first).before, undefined);
  assert.equal(put(all, first).before, undefined, "its own is nobody's return");
  assert.equal(put(all, second).before, first);
  assert.deepEqual([first.publications.size, second.publications.size, all.size], [0, 1, 1]);
  assert.deepEqual([first.account.heldBytes, second.account.heldBytes], [0, all.chargedBytes]);
  assert.deepEqual(all.dropSome(first, 10), [], "the end of the first takes nothing");
});

test("what is charged is what is held, and all of it is released", () => {
  const all = newPublications();
  const client = newClient();
  put(all, client, { payload: bytes(100) });
  put(all, client, { registId: "p2" });
  put(all, client, { payload: bytes(50) });
  assert.equal(client.account.heldBytes, all.chargedBytes);
  all.unpublish(client, { ...KEY, version: 1n }, NOW_MS);
  assert.equal(client.account.heldBytes, all.chargedBytes);
  all.dropSome(client, 1);
  assert.deepEqual([client.account.heldBytes, all.chargedBytes, all.size], [0, 0, 0]);
});

test("a registration that would be too much is refused, and what was held stays", () => {
  const all = newPublications();
  const client = newClient(new Budget({ ...unlimitedBudget().limits, clientBytesMax: 2_000 }));
  put(all, client);
  const refusal = all.put(client, publishRequest({ version: 2n, payload: bytes(2_000) }), NOW_MS);
  assert.ok(refusal instanceof RegistryError && refusal.code === "CLIENT_BYTES_EXHAUSTED");
  assert.equal(all.get(KEY)?.version, 1n);
});

test("a client's process is the one that it named last, and only a registration that is taken says so", () => {
  const all = newPublications();
  const client = newClient();
  put(all, client, { processId: "4711", version: 3n });
  put(all, client, { registId: "p2" });
  all.put(client, publishRequest({ processId: "4712", version: 2n }), NOW_MS);
  assert.equal(client.processId, "4711");
});

test("a registration is taken back by its own version or a higher one, and so is one that is unknown here", () => {
  const all = newPublications();
  const client = newClient();
  put(all, client, { version: 5n });
  assert.equal(all.unpublish(client, { ...KEY, version: 4n }, NOW_MS), undefined);
  const taken = all.unpublish(client, { ...KEY, version: 5n }, NOW_MS + 9.7);
  assert.deepEqual(taken, {
    removal: { ...KEY, cause: "unpublished", stamp: { version: 5n, registeredMs: NOW_MS + 9 }, client: client.id },
    before: client,
  });
  assert.equal(all.get(KEY), undefined);
  assert.equal(all.unpublish(client, { ...KEY, version: 1n }, NOW_MS)?.before, undefined);
});

test("that a data node took an older publication says nothing of the newer one", () => {
  const all = newPublications();
  const client = newClient();
  const older = put(all, client).publication;
  put(all, client, { version: 2n });
  all.taken(older);
  const again = lost(all);
  assert.equal(again?.registeredMs, NOW_MS + 701, "it is still its client's last word");
});

test("what a data node had taken before gives way, and is compared all the same", () => {
  const all = newPublications();
  all.taken(put(all, newClient()).publication);
  assert.equal(lost(all), undefined);
  assert.equal(all.inventoryOf(SLOT).length, 1);
});

test("one that lost by a clock gets a later time once", () => {
  const all = newPublications();
  put(all, newClient());
  const again = lost(all);
  assert.deepEqual([again?.version, again?.registeredMs], [1n, NOW_MS + 701]);
  assert.equal(lost(all, { by: { version: 1n, registeredMs: NOW_MS + 900 } }), undefined);
  assert.equal(all.get(KEY)?.registeredMs, NOW_MS + 701);
});

test("one that lost against a removal gets a later time each time, also after it gave way", () => {
  const all = newPublications();
  all.taken(put(all, newClient()).publication);
  lost(all);
  assert.equal(lost(all, { isRemoved: true })?.registeredMs, NOW_MS + 701);
  const by = { version: 1n, registeredMs: NOW_MS + 900 };
  assert.equal(lost(all, { isRemoved: true, by })?.registeredMs, NOW_MS + 901);
});

test("one that lost to another version, or was taken and its client is gone, is not spoken of any more", () => {
  for (const isGone of [true, false]) {
    const all = newPublications();
    const client = newClient();
    const { publication } = put(all, client);
    if (isGone) all.taken(publication);
    if (isGone) client.departedMs = NOW_MS;
    const by = { version: isGone ? 1n : 2n, registeredMs: NOW_MS + 700 };
    assert.equal(lost(all, { isRemoved: true, by }), undefined);
    assert.deepEqual([all.inventoryOf(SLOT), all.digestOf(SLOT).count], [[], 0]);
  }
});

test("the last word of a client that is gone is said again against a removal, not against a later time", () => {
  const all = newPublications();
  const client = newClient();
  put(all, client);
  client.departedMs = NOW_MS;
  assert.equal(lost(all), undefined);
  assert.equal(all.inventoryOf(SLOT).length, 1, "a data node hears that it is there");
  assert.equal(lost(all, { isRemoved: true })?.registeredMs, NOW_MS + 701);
  const by = { version: 1n, registeredMs: NOW_MS + 900 };
  assert.equal(lost(all, { isRemoved: true, by })?.registeredMs, NOW_MS + 901);
});

test("what is said to have lost and is not what is held changes nothing", () => {
  const all = newPublications();
  put(all, newClient(), { version: 2n });
  assert.equal(lost(all, { stamp: { version: 1n, registeredMs: NOW_MS } }), undefined);
  assert.equal(lost(all, { registId: "p9" }), undefined);
  assert.equal(all.inventoryOf(SLOT).length, 1);
  all.turnedDown({ ...KEY, stamp: { version: 1n, registeredMs: NOW_MS }, bytes: 1, bytesMax: 1 });
  assert.equal(all.unlisted, 0);
});

test("what finds no room is spoken of as it was before, and not at all if it was never listed", () => {
  const all = newPublications();
  const client = newClient();
  put(all, client);
  put(all, client, { version: 2n });
  turnDown(all, "p1", { version: 1n, registeredMs: NOW_MS });
  assert.deepEqual(all.inventoryOf(SLOT), [{ ...KEY, version: 1n, registeredMs: NOW_MS }]);
  const listed = newPublications();
  put(listed, client);
  assert.deepEqual(all.digestOf(SLOT), listed.digestOf(SLOT));
  turnDown(all);
  assert.deepEqual([all.inventoryOf(SLOT), all.digestOf(SLOT).count, all.unlisted], [[], 0, 1]);
});

test("what found no room and is taken in the end is listed as it is", () => {
  const all = newPublications();
  const { publication } = put(all, newClient());
  turnDown(all);
  all.taken(publication);
  assert.deepEqual([all.unlisted, all.inventoryOf(SLOT).length], [0, 1]);
});

test("what found no room and ends, or is said anew, is not tried again", () => {
  const all = newPublications();
  const client = newClient();
  put(all, client);
  put(all, client, { registId: "p2" });
  turnDown(all, "p1");
  turnDown(all, "p2");
  all.unpublish(client, { ...KEY, version: 1n }, NOW_MS);
  put(all, client, { registId: "p2", version: 2n });
  assert.deepEqual([all.unlisted, all.retries(() => true, 10)], [0, []]);
});

test("of what found no room those are tried that have waited longest, and the others the next time", () => {
  const all = newPublications();
  const client = newClient();
  for (const registId of ["p1", "p2", "p3"]) put(all, client, { registId });
  for (const registId of ["p1", "p2", "p3"]) turnDown(all, registId);
  const tried = (max: number) => all.retries((id) => id === ORDERS, max).map(({ registId }) => registId);
  assert.deepEqual(
    [tried(2), tried(2), tried(9)],
    [
      ["p1", "p2"],
      ["p3", "p1"],
      ["p2", "p3", "p1"],
    ],
  );
  assert.deepEqual(
    all.retries(() => false, 9),
    [],
  );
});

test("a digest sums up the registrations of its slot, in whatever order they came", () => {
  const [here, there] = [newPublications(), newPublications()];
  const client = newClient();
  for (const registId of ["p1", "p2"]) put(here, client, { registId });
  for (const registId of ["p2", "p3", "p1"]) put(there, client, { registId });
  put(there, client, { serviceKey: STOCK });
  assert.notDeepEqual(here.digestOf(SLOT), there.digestOf(SLOT));
  there.unpublish(client, { serviceKey: ORDERS, registId: "p3", version: 1n }, NOW_MS);
  assert.deepEqual(here.digestOf(SLOT), there.digestOf(SLOT));
  assert.equal(there.digestOf(slotOf(STOCK, SLOTS)).count, 1);
  assert.deepEqual(here.digestOf(slotOf(STOCK, SLOTS)), { slot: slotOf(STOCK, SLOTS), count: 0, digest: 0n });
});

test("a later time or version makes another digest", () => {
  const all = newPublications();
  const client = newClient();
  const seen = [0, 1, 2].map((at) => {
    put(all, client, { version: at < 2 ? 1n : 2n });
    return all.digestOf(SLOT).digest;
  });
  assert.equal(new Set(seen).size, 3);
  assert.equal(all.digestOf(SLOT).count, 1);
});

test("what came before the slot count was known is digested with it, and the count stays what it was", () => {
  const [all, reference] = [new Publications(nodeId("session-1"), COSTS), newPublications()];
  const client = newClient();
  put(all, client);
  assert.deepEqual(all.inventoryOf(SLOT), []);
  all.divide(SLOTS);
  all.divide(SLOTS);
  put(reference, client);
  assert.deepEqual(all.digestOf(SLOT), reference.digestOf(SLOT));
  assert.deepEqual(all.inventoryOf(SLOT), reference.inventoryOf(SLOT));
  all.unpublish(client, { ...KEY, version: 1n }, NOW_MS);
  assert.deepEqual([all.inventoryOf(SLOT), all.digestOf(SLOT).digest], [[], 0n]);
});

test("what is left of a client is dropped in parts, by the very stamps that it had", () => {
  const all = newPublications();
  const client = newClient();
  for (const registId of ["p1", "p2", "p3"]) put(all, client, { registId });
  const stamp = { version: 1n, registeredMs: NOW_MS };
  const left = (registId: string) => ({ serviceKey: ORDERS, registId, cause: "left", stamp });
  assert.deepEqual(all.dropSome(client, 2), [left("p1"), left("p2")]);
  assert.deepEqual(all.dropSome(client, 2), [left("p3")]);
  assert.equal(all.size, 0);
});

test("of a client whose end was noticed late only what it said since, and nobody took, is withdrawn", () => {
  const all = newPublications();
  const client = newClient();
  put(all, client, { registId: "before" }, NOW_MS - 1);
  put(all, client, { registId: "since" }, NOW_MS + 0.4);
  all.taken(put(all, client, { registId: "taken" }, NOW_MS + 5).publication);
  assert.deepEqual(
    all.withdraw(client, NOW_MS + 0.4).map(({ registId }) => registId),
    ["since"],
  );
  assert.deepEqual(
    all.inventoryOf(SLOT).map(({ registId }) => registId),
    ["before", "taken"],
  );
});

test("of what is withdrawn a state from before may be at a data node, whose answer was lost: it is reported", () => {
  const reported = (beforeMs: number) => {
    const all = newPublications();
    const client = newClient();
    put(all, client, { version: 1n }, beforeMs);
    for (const version of [2n, 3n]) put(all, client, { version }, NOW_MS + 5);
    assert.equal(all.withdraw(client, NOW_MS).length, 1);
    return all.inventoryOf(SLOT).map(({ version }) => version);
  };
  assert.deepEqual([reported(NOW_MS - 1), reported(NOW_MS)], [[1n], []]);
});

test("only what grows can be too much for a list", () => {
  const all = newPublications();
  const client = newClient();
  const [small, large] = [publishRequest({ payload: bytes(100) }), publishRequest({ payload: bytes(4_000) })];
  put(all, client, { payload: bytes(2_000) });
  const held = all.held(KEY);
  assert.deepEqual([all.grows(small, held), all.grows(large, held), all.grows(small, undefined)], [false, true, true]);
  const held2 = listBytesOf(bytes(2_000));
  assert.equal(all.excess(small, held, 1), undefined);
  assert.equal(all.excess(large, held, 1), listBytesOf(large.payload));
  const second = { ...large, registId: "p2" };
  assert.equal(all.excess(second, undefined, held2), held2 + listBytesOf(large.payload));
  assert.equal(all.excess(second, undefined, held2 + listBytesOf(large.payload)), undefined, "exactly full");
});

test("what a list takes follows each change, and goes with the last of its service", () => {
  const all = newPublications();
  const client = newClient();
  const large = listBytesOf(bytes(4_000));
  const taken = () => (all.excess(publishRequest({ registId: "x", payload: bytes(4_000) }), undefined, 0) ?? 0) - large;
  put(all, client, { payload: bytes(4_000) });
  assert.equal(taken(), large);
  put(all, client, { payload: bytes(1_000), version: 2n });
  put(all, client, { payload: bytes(1_000), registId: "p2" });
  assert.equal(taken(), 2 * listBytesOf(bytes(1_000)));
  all.unpublish(client, { ...KEY, version: 2n }, NOW_MS);
  all.dropSome(client, 9);
  assert.equal(taken(), 0);
});

test("of what another session holds some are said again, by number and bytes, those first that waited longest", () => {
  const all = newPublications();
  const [client, gone] = [newClient(), newClient()];
  for (const registId of ["p1", "p2", "p3"]) put(all, client, { registId, payload: bytes(100) });
  put(all, gone, { registId: "p4" });
  for (const registId of ["p1", "p2", "p3", "p4"]) lostToHolder(all, registId);
  gone.departedMs = NOW_MS;
  const said = (publicationsMax: number, bytesMax: number) =>
    all.claims({ publicationsMax, bytesMax }).map(({ registId }) => registId);
  assert.deepEqual(said(2, 1_000), ["p1", "p2"]);
  assert.deepEqual(said(2, 1_000), ["p3"], "the client of the fourth is gone");
  assert.deepEqual(said(9, 101), ["p1", "p2"], "what has room for a byte takes one more");
  assert.deepEqual(said(9, 100), ["p3"]);
});

test("what another session holds is not spoken of, and what a data node takes in the end is not said again", () => {
  const all = newPublications();
  const { publication } = put(all, newClient());
  lostToHolder(all, "p1");
  assert.deepEqual([all.isContested, all.inventoryOf(SLOT), all.digestOf(SLOT).count], [true, [], 0]);
  all.taken(publication);
  assert.deepEqual([all.isContested, all.inventoryOf(SLOT).length, all.digestOf(SLOT).count], [false, 1, 1]);
});

test("what was refused a few times to a client of the holder's host is new again for another leader", () => {
  const renewed = (refusals: number, { host = "10.0.0.7", isGone = false, slot = SLOT } = {}) => {
    const all = newPublications();
    const client = newClient(undefined, clientId("10.0.0.7:2_10.1.0.2:9600"));
    put(all, client);
    for (let times = refusals; times > 0; times--) lostToHolder(all, "p1", clientId(`${host}:1_10.1.0.1:9600`));
    if (isGone) client.departedMs = NOW_MS;
    const publications = all.renewed(new Set([slot]));
    assert.equal(all.digestOf(SLOT).count, publications.length);
    return publications.length;
  };
  assert.deepEqual([renewed(1), renewed(8)], [1, 1], "the holder may never have answered a question");
  assert.equal(renewed(9), 0, "the holder has answered");
  assert.equal(renewed(1, { host: "10.0.0.8" }), 0);
  assert.equal(renewed(1, { isGone: true }), 0);
  assert.equal(renewed(1, { slot: SLOT + 1 }), 0);
});

test("what is refused ends with its client, or is that one's next word", () => {
  const all = newPublications();
  const client = newClient(undefined, clientId("10.0.0.7:2_10.1.0.2:9600"));
  const holder = clientId("10.0.0.7:1_10.1.0.1:9600");
  put(all, client);
  lostToHolder(all, "p1", holder);
  put(all, client, { version: 2n });
  assert.deepEqual(all.renewed(new Set([SLOT])), []);
  lostToHolder(all, "p1", holder);
  all.dropSome(client, 1);
  assert.deepEqual(all.renewed(new Set([SLOT])), []);
});

test("registrations of many services are found each by its own key", () => {
  const all = newPublications({ slots: 1 });
  const client = newClient();
  for (let at = 0; at < 20; at++) put(all, client, { serviceKey: serviceOf(at) });
  assert.equal(all.inventoryOf(0).length, 20);
  assert.equal(all.get({ serviceKey: serviceOf(7), registId: "p1" })?.serviceKey, serviceOf(7));
  all.unpublish(client, { serviceKey: serviceOf(7), registId: "p1", version: 1n }, NOW_MS);
  assert.deepEqual([all.inventoryOf(0).length, all.digestOf(0).count, all.size], [19, 19, 19]);
});
