// The session's charges to its clients' accounts, and that all of them are released again, in every way.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import fc from "fast-check";
import { CHARGE } from "../base/budget.ts";
import { brandServiceKey, nodeId } from "../model/ids.ts";
import { packBoxes } from "../model/payload.ts";
import * as harness from "./testing/harness.ts";
import {
  batches,
  budget,
  connect,
  DATA,
  disconnect,
  fromData,
  type HarnessClient,
  nowMs,
  ORDERS,
  pass,
  publish,
  reset,
  session,
  subscribe,
  tableOf,
  taken,
  useBudget,
  useSession,
} from "./testing/harness.ts";

beforeEach(reset);

const MIB = 1024 * 1024;
const boxOf = (bytes: number) => packBoxes([{ utf8: new Uint8Array(bytes), units: Math.floor(bytes) }]);
const failures = ({ channel }: HarnessClient) =>
  channel.outcomes.flatMap((outcome) => (outcome.kind === "failed" ? [outcome.error.code] : []));
const unpublish = (client: HarnessClient, registId = "p1", version = 2n) =>
  session.step(
    { kind: "unpublished", client: client.id, request: 1, key: { serviceKey: ORDERS, registId, version } },
    nowMs,
  );

test("a client that has its bytes is refused one more registration, and nothing of that is kept", () => {
  useBudget({ clientBytesMax: 3 * MIB });
  const client = connect();
  publish(client, { registId: "p1", payload: boxOf(2 * MIB) });
  publish(client, { registId: "p2", payload: boxOf(2 * MIB) });
  assert.deepEqual(failures(client), ["CLIENT_BYTES_EXHAUSTED"]);
  assert.equal(batches().flat().length, 1);
  publish(client, { registId: "p1", version: 2n, payload: boxOf(2 * MIB) });
  publish(client, { registId: "p1", version: 3n, payload: boxOf(2.9 * MIB) });
  assert.equal(failures(client).length, 1, "one that does not go beyond is taken");
  unpublish(client, "p1", 4n);
  publish(client, { registId: "p2", payload: boxOf(2 * MIB) });
  assert.equal(failures(client).length, 1);
});

test("in a process with the role data a payload counts twice", () => {
  useSession({ isDataHere: true });
  const client = connect();
  publish(client, { payload: boxOf(MIB) });
  assert.ok(client.account.heldBytes > 2 * MIB);
});

test("many boxes and attributes count beside their bytes", () => {
  const client = connect();
  publish(client, { registId: "p1", payload: new Uint8Array(1_000) });
  const boxes = client.account.heldBytes;
  assert.ok(boxes > 100_000);
  publish(client, { registId: "p2", attributes: new Map([["k", "v".repeat(8_000)]]) });
  assert.ok(client.account.heldBytes - boxes > 16_000);
});

test("a subscriber that is too much leaves nothing behind", () => {
  useBudget({ clientBytesMax: 1_000 });
  const client = connect();
  harness.forgetSent();
  subscribe(client);
  assert.deepEqual(failures(client), ["CLIENT_BYTES_EXHAUSTED"]);
  assert.deepEqual(harness.toData, []);
  pass(6_000);
  assert.equal(harness.toData.filter(({ kind }) => kind === "scan").length, 0);
});

test("other addresses are served while one has all that it may have", () => {
  useBudget({ bytesMax: 30 * MIB });
  const greedy = connect("greedy");
  for (let at = 0; at < 5; at++) {
    publish(greedy, { serviceKey: brandServiceKey(`greedy-${at}#@#I#@#G`), payload: boxOf(4 * MIB) });
  }
  assert.equal(failures(greedy)[0], "ADDRESS_BYTES_EXHAUSTED");
  const honest = connect("honest");
  publish(honest, { registId: "h", payload: boxOf(300) });
  subscribe(honest);
  assert.deepEqual(failures(honest), []);
});

test("ends of registrations are work like their beginnings", () => {
  useBudget({ workPerSecondMax: 10 });
  const client = connect();
  for (let at = 0; at < 20; at++) unpublish(client, `unknown-${at}`);
  assert.ok(failures(client).filter((code) => code === "OVERLOADED").length >= 10);
});

test("while the data nodes are away, ends of what nobody holds are refused beyond a bound", () => {
  const client = connect();
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  for (let at = 0; at < 100_010; at++) unpublish(client, `unknown-${at}`);
  assert.equal(failures(client).length, 9, "100,001 wait");
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  for (let round = 0; round < 2_000 && !session.isDrained; round++) taken();
  unpublish(client, "again");
  assert.equal(client.channel.outcomes.at(-1)?.kind, "accepted");
});

type Step = {
  client: number;
  service: number;
  id: number;
  what: (typeof WHATS)[number];
  version: number;
  bytes: number;
};
const WHATS = [
  "publish",
  "unpublish",
  "subscribe",
  "unsubscribe",
  "watch",
  "unwatch",
  "reconnect",
  "wait",
  "taken",
  "moved",
] as const;

test("whatever clients do in whatever order: when all are gone, nothing is held for them", () => {
  const step = fc.record({
    client: fc.nat(3),
    service: fc.nat(1),
    id: fc.nat(2),
    what: fc.constantFrom(...WHATS),
    version: fc.integer({ min: 1, max: 4 }),
    bytes: fc.nat(200_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      reset();
      useSession({ isDataHere: true });
      useBudget({ clientBytesMax: MIB, bytesMax: 2 * MIB });
      const clients = Array.from({ length: 4 }, (_, at) => connect(`address-${at % 2}`));
      let epoch = 2n;
      for (const each of steps) {
        const client = clients[each.client] as HarnessClient;
        if (each.what === "reconnect") {
          disconnect(client);
          clients[each.client] = connect(`address-${each.client % 2}`);
        } else if (each.what === "moved") {
          for (const node of [nodeId("data-2"), DATA]) {
            const table = tableOf(node, epoch++);
            session.step({ kind: "fromMeta", message: { kind: "slotTable", table, versionFloor: 0n } }, nowMs);
          }
        } else act(client, each);
        const byKind = Object.values(CHARGE).reduce<number>((sum, kind) => sum + budget.heldOf(kind), 0);
        assert.equal(byKind, budget.heldBytes);
        assert.ok(budget.heldBytes <= 2 * MIB);
      }
      for (const client of clients) disconnect(client);
      for (let at = 0; at < 5; at++) {
        taken();
        pass(10_000);
      }
      assert.deepEqual([budget.heldBytes, budget.addresses], [0, 0]);
    }),
    { numRuns: 150 },
  );
});

function act(client: HarnessClient, { what, service, id, version: number, bytes }: Step): void {
  const version = BigInt(number);
  const serviceKey = brandServiceKey(`service-${service}#@#I#@#G`);
  const key = { serviceKey, registId: `r${id}`, version };
  const request = { client: client.id, request: 1 };
  switch (what) {
    case "publish":
      return publish(client, { ...key, payload: boxOf(bytes) });
    case "unpublish":
      return session.step({ kind: "unpublished", ...request, key }, nowMs);
    case "subscribe":
      return subscribe(client, { ...key, zone: `Z${bytes % 2}` });
    case "unsubscribe":
      return session.step({ kind: "unsubscribed", ...request, key }, nowMs);
    case "watch":
      return session.step({ kind: "watchedConfig", ...request, key }, nowMs);
    case "unwatch":
      return session.step({ kind: "unwatchedConfig", ...request, key }, nowMs);
    case "wait":
      return pass(bytes / 50);
    case "taken":
      return taken();
    default:
      return undefined;
  }
}

test("a registration that lost to a newer one elsewhere is held until its client is gone", () => {
  const client = connect();
  publish(client);
  const stamp = { version: 1n, registeredMs: harness.START_MS };
  const by = { version: 9n, registeredMs: harness.START_MS };
  const batch = harness.toData.findLast((message) => message.kind === "publish");
  assert.ok(batch?.kind === "publish");
  fromData({
    kind: "taken",
    batch: batch.batch,
    unlisted: [],
    isFull: false,
    superseded: [{ serviceKey: ORDERS, registId: "p1", stamp, by, isRemoved: false }],
  });
  assert.ok(budget.heldBytes > 0);
  disconnect(client);
  pass(2_000);
  assert.equal(budget.heldBytes, 0);
});
