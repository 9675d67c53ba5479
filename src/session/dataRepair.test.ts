import assert from "node:assert/strict";
import { test } from "node:test";
import type { Superseded } from "../cluster/messages/sessionData.ts";
import { INVENTORY_ENTRIES_MAX } from "../cluster/messages/sessionData.ts";
import { nodeId } from "../model/ids.ts";
import { slotOf } from "../model/slot.ts";
import { DataRepair } from "./dataRepair.ts";
import { Publications } from "./publications.ts";
import {
  COSTS,
  DATA_1,
  DATA_2,
  NOW_MS,
  newClient,
  ORDERS,
  publishRequest,
  recordedLinks,
  STOCK,
  tableOf,
} from "./testing/parts.ts";

const ORDERS_SLOT = slotOf(ORDERS, 2);
const STOCK_SLOT = slotOf(STOCK, 2);

/** The first node leads `ORDERS`, the second one leads `STOCK`; both can be reached. */
function newRepair() {
  const recorded = recordedLinks();
  const publications = new Publications(nodeId("session-1"), COSTS);
  publications.divide(2);
  recorded.links.adopt(tableOf(1n, [DATA_1, DATA_2]));
  for (const node of [DATA_1, DATA_2]) recorded.links.nodeUp(node);
  const repair = new DataRepair(publications, recorded.links, { digestIntervalMs: 6_000 });
  const client = newClient();
  const publish = (registId = "p1", serviceKey = ORDERS) => {
    publications.put(client, publishRequest({ registId, serviceKey }), NOW_MS);
    const publication = publications.get({ registId, serviceKey });
    assert.ok(publication);
    return publication;
  };
  const compared = () =>
    recorded.sent.flatMap(({ to, message }) =>
      message.kind === "digests" ? [[to, message.slots.map(({ slot, count }) => [slot, count])]] : [],
    );
  const published = () => recorded.ofKind("publish").flatMap(({ items }) => items);
  return { ...recorded, publications, repair, client, publish, compared, published };
}

function lossOf(registId: string, changes: Partial<Superseded> = {}): Superseded {
  const stamp = { version: 1n, registeredMs: NOW_MS };
  const by = { version: 1n, registeredMs: NOW_MS + 700 };
  return { serviceKey: ORDERS, registId, stamp, by, isRemoved: false, ...changes };
}

test("a node is told a digest of each slot that it leads, and of no other", () => {
  const { repair, publish, compared, ofKind } = newRepair();
  publish();
  publish("p1", STOCK);
  publish("p2", STOCK);
  repair.compare(DATA_1);
  repair.compare(DATA_2);
  assert.deepEqual(compared(), [
    [DATA_1, [[ORDERS_SLOT, 1]]],
    [DATA_2, [[STOCK_SLOT, 2]]],
  ]);
  assert.equal(ofKind("digests")[0]?.epoch, 1n);
});

test("a node that can't be reached, or leads nothing, is told nothing", () => {
  const { repair, links, sent } = newRepair();
  links.nodeDown(DATA_1);
  links.nodeUp(nodeId("data-9"));
  repair.compare(DATA_1);
  repair.compare(nodeId("data-9"));
  repair.differs(DATA_1, [ORDERS_SLOT]);
  assert.deepEqual(sent, []);
});

test("a node to which changes are under way is compared at the eleventh time all the same", () => {
  const { repair, links, publish, compared } = newRepair();
  links.publish({ kind: "put", publication: publish() });
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < 10; at++) assert.equal(repair.compareIfQuiet(DATA_1), false);
    assert.equal(repair.compareIfQuiet(DATA_1), true);
    assert.equal(compared().length, round + 1, "and is put off anew after that");
  }
  assert.equal(repair.compareIfQuiet(DATA_2), true, "the other one is quiet");
});

test("a comparison in between makes a busy node wait as long again", () => {
  const { repair, links, publish } = newRepair();
  links.publish({ kind: "put", publication: publish() });
  for (let at = 0; at < 9; at++) repair.compareIfQuiet(DATA_1);
  repair.compare(DATA_1);
  for (let at = 0; at < 10; at++) assert.equal(repair.compareIfQuiet(DATA_1), false);
});

test("slots that have another leader are compared with that one, in one message each", () => {
  const { repair, links, publish, compared } = newRepair();
  publish();
  links.adopt(tableOf(2n, [DATA_2, DATA_2]));
  repair.moved(new Set([ORDERS_SLOT, STOCK_SLOT, 99]));
  assert.deepEqual(compared(), [
    [
      DATA_2,
      [
        [ORDERS_SLOT, 1],
        [STOCK_SLOT, 0],
      ],
    ],
  ]);
});

test("the inventory of a slot goes to its leader alone", () => {
  const { repair, publish, ofKind } = newRepair();
  publish();
  repair.differs(DATA_2, [ORDERS_SLOT]);
  assert.deepEqual(ofKind("inventory"), []);
  repair.differs(DATA_1, [ORDERS_SLOT]);
  const entries = [{ serviceKey: ORDERS, registId: "p1", version: 1n, registeredMs: NOW_MS }];
  assert.deepEqual(ofKind("inventory"), [
    { kind: "inventory", epoch: 1n, slot: ORDERS_SLOT, entries, isFirst: true, isLast: true },
  ]);
});

test("a large inventory goes in parts: the first and the last one say so, and nothing is missing", () => {
  for (const [count, sizes] of [
    [INVENTORY_ENTRIES_MAX, [INVENTORY_ENTRIES_MAX]],
    [2 * INVENTORY_ENTRIES_MAX + 1, [INVENTORY_ENTRIES_MAX, INVENTORY_ENTRIES_MAX, 1]],
  ] as const) {
    const { repair, publish, ofKind } = newRepair();
    for (let at = 0; at < count; at++) publish(`p${at}`);
    repair.differs(DATA_1, [ORDERS_SLOT]);
    const parts = ofKind("inventory");
    assert.deepEqual(
      parts.map(({ entries }) => entries.length),
      sizes,
    );
    assert.deepEqual(
      parts.map(({ isFirst, isLast }, at) => isFirst === (at === 0) && isLast === (at === sizes.length - 1)),
      sizes.map(() => true),
    );
    assert.equal(new Set(parts.flatMap(({ entries }) => entries.map(({ registId }) => registId))).size, count);
  }
});

test("what a node wants is published, as far as it is still here", () => {
  const { repair, publish, published } = newRepair();
  const publication = publish();
  const keys = [
    [ORDERS, "p1"],
    [ORDERS, "gone"],
  ] as const;
  repair.wanted({ kind: "wanted", slot: ORDERS_SLOT, keys, superseded: [] });
  assert.deepEqual(published(), [{ kind: "put", publication }]);
});

test("what lost by a clock alone is published again with a later time, whether it was wanted or sent", () => {
  const { repair, publish, published } = newRepair();
  publish();
  repair.wanted({ kind: "wanted", slot: ORDERS_SLOT, keys: [], superseded: [lossOf("p1")] });
  const [again] = published();
  assert.ok(again?.kind === "put" && again.publication.registeredMs === NOW_MS + 701);
});

test("what a node has taken is not its client's last word any more: it gives way to a later time", () => {
  const { repair, publish, published } = newRepair();
  const publication = publish();
  repair.taken([{ kind: "put", publication }], { superseded: [], unlisted: [] });
  repair.wanted({ kind: "wanted", slot: ORDERS_SLOT, keys: [], superseded: [lossOf("p1")] });
  assert.deepEqual(published(), []);
});

test("a removal that won against nobody's registration is confirmed, for the data node waits for it", () => {
  const { repair, published } = newRepair();
  repair.taken([], { superseded: [lossOf("p1"), lossOf("p2", { isRemoved: true })], unlisted: [] });
  const { stamp } = lossOf("p2");
  assert.deepEqual(published(), [
    { kind: "remove", removal: { serviceKey: ORDERS, registId: "p2", cause: "left", stamp } },
  ]);
});

test("what found no room is tried again with each comparison of its own node, a hundred at a time", () => {
  const { repair, links, publications, publish, published } = newRepair();
  for (let at = 0; at < 150; at++) publish(`p${at}`);
  publish("other", STOCK);
  const stamp = { version: 1n, registeredMs: NOW_MS };
  const unlisted = [...Array(150).keys()].map((at) => ({ serviceKey: ORDERS, registId: `p${at}`, stamp }));
  const bounds = { bytes: 1, bytesMax: 1 };
  const others = [{ serviceKey: STOCK, registId: "other", stamp, ...bounds }];
  repair.taken([], { superseded: [], unlisted: [...unlisted.map((one) => ({ ...one, ...bounds })), ...others] });
  assert.equal(publications.unlisted, 151);
  repair.compare(DATA_2);
  assert.equal(published().length, 1);
  repair.compare(DATA_1);
  for (let batch = 2; batch < 5; batch++) links.taken(DATA_1, batch);
  assert.equal(published().length, 101);
});

test("what is held is confirmed by the leader that was last compared, over the link that stands", () => {
  const { repair, links, publish } = newRepair();
  publish();
  assert.equal(repair.isConfirmed, true, "this node has led since before");
  links.nodeDown(DATA_1);
  assert.equal(repair.isConfirmed, false, "the next leader may lack it");
  links.nodeUp(DATA_1);
  repair.compare(DATA_1);
  assert.equal(repair.isConfirmed, false, "the node may have removed it meanwhile");
  repair.confirmed([ORDERS_SLOT]);
  assert.equal(repair.isConfirmed, true);
});

test("a slot without holdings needs no confirmation", () => {
  const { repair, links, publish } = newRepair();
  publish();
  repair.moved(new Set([STOCK_SLOT]));
  links.nodeDown(DATA_2);
  assert.equal(repair.isConfirmed, true);
});
