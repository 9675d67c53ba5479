import assert from "node:assert/strict";
import { test } from "node:test";
import { Subscriptions } from "./subscriptions.ts";
import {
  COSTS,
  DATA_1,
  DATA_2,
  NOW_MS,
  newClient,
  ORDERS,
  recordedLinks,
  STOCK,
  serviceOf,
  snapshotOf,
  subscribeRequest,
  tableOf,
} from "./testing/parts.ts";
import { VersionScan } from "./versionScan.ts";

const INTERVAL_MS = 5_000;

/** Scans of this many services; `ORDERS` and `STOCK` belong to two nodes. */
function newScan({ services = [ORDERS, STOCK] } = {}) {
  const recorded = recordedLinks();
  recorded.links.adopt(tableOf(1n, [DATA_1, DATA_2]));
  for (const node of [DATA_1, DATA_2]) recorded.links.nodeUp(node);
  const subscriptions = new Subscriptions(COSTS);
  const client = newClient();
  services.forEach((serviceKey, at) => {
    subscriptions.subscribe(client, subscribeRequest({ serviceKey, registId: `s${at}` }), NOW_MS);
  });
  const scan = new VersionScan(INTERVAL_MS, { subscriptions, links: recorded.links, nowMs: NOW_MS });
  const told = () =>
    recorded.sent.flatMap(({ to, message }) =>
      message.kind === "scan" ? message.versions.map(([id, { version }]) => [to, id, version]) : [],
    );
  return { ...recorded, subscriptions, scan, told };
}

const many = (count: number) => Array.from({ length: count }, (_, at) => serviceOf(at));

test("a round begins each interval, and tells each node of its own services and their versions", () => {
  const { scan, subscriptions, told } = newScan();
  subscriptions.get(STOCK)?.list.replace(snapshotOf(7n, { serviceKey: STOCK }), NOW_MS);
  assert.deepEqual([scan.beginIfDue(NOW_MS + INTERVAL_MS - 1), scan.nextMs()], [false, NOW_MS + INTERVAL_MS]);
  assert.deepEqual(scan.tell(NOW_MS + INTERVAL_MS - 1), []);
  assert.equal(scan.beginIfDue(NOW_MS + INTERVAL_MS), true);
  assert.equal(scan.tell(NOW_MS + INTERVAL_MS).length, 2);
  assert.deepEqual(told(), [
    [DATA_1, ORDERS, 0n],
    [DATA_2, STOCK, 7n],
  ]);
  assert.equal(scan.beginIfDue(NOW_MS + INTERVAL_MS), false);
});

test("a step tells of a thousand services, and the next one follows four milliseconds later", () => {
  const { scan, told } = newScan({ services: many(2_500) });
  const startMs = NOW_MS + INTERVAL_MS;
  scan.beginIfDue(startMs);
  assert.equal(scan.tell(startMs).length, 1_000);
  assert.equal(scan.nextMs(), startMs + 4);
  assert.deepEqual(scan.tell(startMs + 3), []);
  assert.equal(scan.tell(startMs + 4).length, 1_000);
  scan.tell(startMs + 8);
  assert.equal(new Set(told().map(([, id]) => id)).size, 2_500);
  assert.equal(scan.nextMs(), startMs + INTERVAL_MS);
});

test("a round that is not through when the next one is due goes on", () => {
  const { scan, told } = newScan({ services: many(2_500) });
  for (const atMs of [INTERVAL_MS, 2 * INTERVAL_MS, 3 * INTERVAL_MS]) {
    assert.equal(scan.beginIfDue(NOW_MS + atMs), true);
    scan.tell(NOW_MS + atMs);
  }
  assert.equal(new Set(told().map(([, id]) => id)).size, 2_500);
});

test("a node that is back is told soon, of what it leads alone, and nobody is repaired by that", () => {
  const { scan, told } = newScan();
  scan.begin(DATA_2);
  assert.ok(scan.nextMs() <= NOW_MS);
  assert.deepEqual(scan.tell(NOW_MS), []);
  assert.deepEqual(told(), [[DATA_2, STOCK, 0n]]);
});

test("a node that is back again before its round is through is told anew, and the others' rounds go on", () => {
  const { scan, told } = newScan();
  scan.begin(DATA_1);
  scan.begin(DATA_2);
  scan.begin(DATA_2);
  for (const atMs of [0, 4, 8]) scan.tell(NOW_MS + atMs);
  assert.deepEqual(told(), [
    [DATA_1, ORDERS, 0n],
    [DATA_2, STOCK, 0n],
  ]);
});

test("a node that can't be reached is told nothing, and what was asked of it may be asked again elsewhere", () => {
  const { scan, links, subscriptions, told } = newScan();
  const [orders, stock] = [subscriptions.get(ORDERS), subscriptions.get(STOCK)];
  assert.ok(orders && stock);
  for (const service of [orders, stock]) service.isWaiting = true;
  links.nodeDown(DATA_1);
  scan.beginIfDue(NOW_MS + INTERVAL_MS);
  scan.tell(NOW_MS + INTERVAL_MS);
  assert.deepEqual(told(), [[DATA_2, STOCK, 0n]]);
  assert.deepEqual([orders.isWaiting, stock.isWaiting], [true, false]);
});
