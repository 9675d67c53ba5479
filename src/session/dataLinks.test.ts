import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../model/ids.ts";
import {
  DATA_1,
  DATA_2,
  NOW_MS,
  ORDERS,
  publication,
  put,
  recordedLinks,
  removal,
  STOCK,
  tableOf,
} from "./testing/parts.ts";

/** The first node leads `ORDERS`, the second one leads `STOCK`, and both can be reached. */
function connectedLinks() {
  const recorded = recordedLinks();
  recorded.links.adopt(tableOf(1n, [DATA_1, DATA_2]));
  for (const node of [DATA_1, DATA_2]) recorded.links.nodeUp(node);
  return recorded;
}

type Recorded = ReturnType<typeof recordedLinks>;
const batchesTo = ({ sent }: Recorded, node: string) =>
  sent.flatMap(({ to, message }) => (to === node && message.kind === "publish" ? [message] : []));
const itemsTo = (recorded: Recorded, node: string) => batchesTo(recorded, node).map(({ items }) => items);

test("a change goes at once to the node that leads its service, under the table's epoch", () => {
  const recorded = connectedLinks();
  recorded.links.publish(put());
  recorded.links.publish(put({ serviceKey: STOCK }));
  assert.deepEqual(recorded.sent, [
    { to: DATA_1, message: { kind: "publish", batch: 1, epoch: 1n, items: [put()] } },
    { to: DATA_2, message: { kind: "publish", batch: 2, epoch: 1n, items: [put({ serviceKey: STOCK })] } },
  ]);
});

test("what comes before the first table waits, is counted, and goes when the table is there", () => {
  const recorded = recordedLinks();
  const { links } = recorded;
  links.nodeUp(DATA_1);
  links.publish(put());
  assert.deepEqual(
    [links.waiting, links.isIdle, links.leader(ORDERS), links.slotOf(ORDERS)],
    [1, false, undefined, undefined],
  );
  links.adopt(tableOf(1n, [DATA_1]));
  assert.deepEqual([itemsTo(recorded, DATA_1), links.waiting], [[[put()]], 0]);
});

test("what waits for a node that can't be reached goes when it can, what was under way to it again", () => {
  const recorded = connectedLinks();
  const { links } = recorded;
  links.publish(put());
  links.nodeDown(DATA_1);
  links.publish(put({ registId: "p2" }));
  assert.equal(batchesTo(recorded, DATA_1).length, 1);
  links.nodeUp(DATA_1);
  assert.deepEqual(itemsTo(recorded, DATA_1)[1], [put(), put({ registId: "p2" })]);
});

test("with a newer table what waits goes to the new leader, and what was under way does too", () => {
  const recorded = connectedLinks();
  const { links } = recorded;
  links.publish(put());
  links.publish(put({ registId: "p2" }));
  links.adopt(tableOf(2n, [DATA_2, DATA_2]));
  assert.deepEqual(itemsTo(recorded, DATA_2), [[put(), put({ registId: "p2" })]]);
  assert.deepEqual(links.taken(DATA_1, 1), [], "the old leader's answer counts for nothing");
  assert.equal(links.isIdle, false);
});

test("an adopted table says which slots another leader serves now: all with the first one", () => {
  const { links } = recordedLinks();
  assert.deepEqual(links.adopt(tableOf(1n, [DATA_1, DATA_2])), new Set([0, 1]));
  const table = tableOf(2n, [DATA_1, DATA_2], 1n);
  assert.deepEqual(links.adopt(table), new Set());
  const [first, second] = table.slots;
  assert.ok(first && second);
  const again = { epoch: 3n, slots: [first, { ...second, leaderEpoch: 3n }] };
  assert.deepEqual(links.adopt(again), new Set([1]), "the same node, which led anew, has another memory of it");
});

test("a table tells who leads what", () => {
  const { links } = connectedLinks();
  assert.deepEqual([links.leader(ORDERS), links.leader(STOCK)], [DATA_1, DATA_2]);
  assert.deepEqual([links.leaderOfSlot(1), links.leaderOfSlot(7)], [DATA_2, undefined]);
  assert.deepEqual([links.slotsOf(DATA_2), links.slotsOf(nodeId("data-9"))], [[1], []]);
  assert.deepEqual([links.slotOf(STOCK), links.tableEpoch], [1, 1n]);
});

test("a batch that is taken makes way for the next one, and is named by what was in it", () => {
  const recorded = connectedLinks();
  const { links } = recorded;
  links.publish(put());
  for (const registId of ["p2", "p3"]) links.publish(put({ registId }));
  assert.deepEqual([links.isIdleTo(DATA_1), links.isIdleTo(DATA_2)], [false, true]);
  assert.deepEqual(links.taken(DATA_1, 1), [put()]);
  assert.equal(itemsTo(recorded, DATA_1)[1]?.length, 2);
  links.taken(DATA_1, 2);
  assert.deepEqual([links.isIdleTo(DATA_1), links.isIdle], [true, true]);
  assert.deepEqual(links.taken(nodeId("data-9"), 1), []);
});

test("a node that does not know yet that it leads is tried again fifty milliseconds later, not before", () => {
  const recorded = connectedLinks();
  const { links } = recorded;
  links.publish(put());
  links.moved(DATA_1, 99, NOW_MS);
  assert.equal(links.nextMs(), Number.POSITIVE_INFINITY, "an answer to another batch");
  links.moved(DATA_1, 1, NOW_MS);
  links.publish(put({ registId: "p2" }));
  assert.equal(links.nextMs(), NOW_MS + 50);
  links.wake(NOW_MS + 49);
  assert.equal(batchesTo(recorded, DATA_1).length, 1);
  links.wake(NOW_MS + 50);
  assert.deepEqual(itemsTo(recorded, DATA_1)[1], [put(), put({ registId: "p2" })]);
});

/** `DATA_1` leads all, and has refused a batch of both services. */
function refusedLinks() {
  const recorded = recordedLinks();
  const { links } = recorded;
  links.adopt(tableOf(1n, [DATA_1, DATA_1]));
  for (const serviceKey of [ORDERS, STOCK]) links.publish(put({ serviceKey }));
  links.nodeUp(DATA_1);
  links.moved(DATA_1, 1, NOW_MS);
  return recorded;
}

test("what a node leads does not wait for what it refuses: a batch of both goes out again slot by slot", () => {
  const recorded = refusedLinks();
  const { links } = recorded;
  links.moved(DATA_1, 2, NOW_MS);
  links.taken(DATA_1, 3);
  const [orders, stock] = [put(), put({ serviceKey: STOCK })];
  assert.deepEqual(itemsTo(recorded, DATA_1), [[orders, stock], [orders], [stock]]);
  links.publish(put({ serviceKey: STOCK, registId: "p2" }));
  links.wake(NOW_MS + 50);
  assert.deepEqual(itemsTo(recorded, DATA_1).slice(3), [[orders, put({ serviceKey: STOCK, registId: "p2" })]]);
});

test("a node that has learned that it leads all is sent mixed batches again", () => {
  const recorded = refusedLinks();
  const { links } = recorded;
  for (const serviceKey of [ORDERS, STOCK]) links.publish(put({ serviceKey, registId: "p2" }));
  assert.equal(links.taken(DATA_1, 2).length, 1);
  assert.equal(itemsTo(recorded, DATA_1)[2]?.length, 3);
  assert.equal(links.nextMs(), Number.POSITIVE_INFINITY);
});

test("a node that is back after its link was lost is sent all again", () => {
  const recorded = refusedLinks();
  const { links } = recorded;
  links.moved(DATA_1, 2, NOW_MS);
  links.nodeDown(DATA_1);
  links.nodeUp(DATA_1);
  assert.equal(itemsTo(recorded, DATA_1).at(-1)?.length, 2);
});

test("a newer table ends the wait of a node that did not know that it leads", () => {
  const recorded = connectedLinks();
  const { links } = recorded;
  links.publish(put());
  links.moved(DATA_1, 1, NOW_MS);
  links.adopt(tableOf(2n, [DATA_1, DATA_2], 1n));
  assert.equal(batchesTo(recorded, DATA_1).length, 2);
  assert.equal(links.nextMs(), Number.POSITIVE_INFINITY);
});

test("nothing is published in a pause, and everything at its end", () => {
  const recorded = connectedLinks();
  const { links } = recorded;
  links.pause(NOW_MS + 1_000);
  links.publish(put());
  links.publish(put({ serviceKey: STOCK }));
  assert.deepEqual([recorded.sent.length, links.isPaused, links.nextMs()], [0, true, NOW_MS + 1_000]);
  links.wake(NOW_MS + 999);
  assert.equal(recorded.sent.length, 0);
  links.wake(NOW_MS + 1_000);
  assert.deepEqual([recorded.sent.length, links.isPaused, links.nextMs()], [2, false, Number.POSITIVE_INFINITY]);
});

test("what was published in a pause can be withdrawn", () => {
  const recorded = connectedLinks();
  const { links } = recorded;
  const one = publication();
  links.pause(NOW_MS + 1_000);
  links.publish({ kind: "put", publication: one });
  links.withdraw(one);
  links.wake(NOW_MS + 1_000);
  assert.equal(recorded.sent.length, 0);
});

test("a question goes to the service's leader, if there is one that can be reached", () => {
  const recorded = recordedLinks();
  const { links } = recorded;
  const release = { kind: "release", serviceKeys: [ORDERS] } as const;
  assert.equal(links.ask(ORDERS, release), false);
  links.adopt(tableOf(1n, [DATA_1, DATA_2]));
  links.nodeUp(DATA_2);
  assert.equal(links.ask(ORDERS, release), false);
  links.nodeUp(DATA_1);
  assert.equal(links.ask(ORDERS, release), true);
  assert.deepEqual(recorded.sent, [{ to: DATA_1, message: release }]);
});

test("everything that waits is counted, for all nodes", () => {
  const { links } = connectedLinks();
  for (const node of [DATA_1, DATA_2]) links.nodeDown(node);
  links.publish(put());
  links.publish(put({ serviceKey: STOCK }));
  links.publish(removal({ registId: "p2" }));
  assert.equal(links.waiting, 3);
});
