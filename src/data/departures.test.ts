// What a data node does about clients that left, and that their session cannot speak for. Found by the simulation.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noMetrics } from "../base/metrics.ts";
import type { DataToSession, PublishItem } from "../messages/sessionData.ts";
import { brandDataInfoId, clientId, nodeId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import { Data } from "./data.ts";

const SELF = nodeId("data-1");
const SESSION = nodeId("session-1");
const ORDERS = brandDataInfoId("orders#@#I#@#G");
const START_MS = 1_700_000_000_000;
const LEASE_MS = 30_000;

function leader(): { data: Data; addresses: (atMs: number) => string[] } {
  let last: DataToSession | undefined;
  const output = {
    toMeta: () => undefined,
    send: (_to: string, message: DataToSession) => {
      last = message;
    },
    saveVersionFloor: () => undefined,
    saveServiceSizes: () => undefined,
  };
  const options = {
    id: SELF,
    operatorLogEntries: 3,
    tombstoneMs: 180_000,
    sessionLeaseMs: LEASE_MS,
    restartHoldMs: 15_000,
    versionScanIntervalMs: 5_000,
  };
  const memory = { versionFloor: 0n, serviceSizes: new Map() };
  const data = new Data(options, memory, { output, metrics: noMetrics, nowMs: START_MS });
  data.step(
    { kind: "slotTable", table: { epoch: 1n, slots: [{ leader: SELF, leaderEpoch: 1n, followers: [] }] } },
    START_MS,
  );
  const addresses = (atMs: number): string[] => {
    data.step({ kind: "woken" }, START_MS + atMs);
    data.step(
      { kind: "received", from: nodeId("session-9"), message: { kind: "fetch", dataInfoId: ORDERS, have: 0n } },
      START_MS + atMs,
    );
    assert.ok(last?.kind === "snapshot");
    return last.datum.publications.map(({ payload }) => new TextDecoder().decode(payload));
  };
  return { data, addresses };
}

const registration = (registId: string, { version = 1n, atMs = 0 } = {}): Publication => ({
  dataInfoId: ORDERS,
  registId,
  version,
  registeredMs: START_MS + atMs,
  owner: { session: SESSION, client: clientId("c") },
  zone: "Z",
  appName: "",
  attributes: new Map(),
  payload: new TextEncoder().encode(`${registId} ${version}`),
});

function publish(data: Data, items: PublishItem[], atMs: number): void {
  data.step(
    { kind: "received", from: SESSION, message: { kind: "publish", batch: 1, epoch: 1n, items } },
    START_MS + atMs,
  );
}

const put = (publication: Publication): PublishItem => ({ kind: "put", publication });

test("clients of a session that restarts have its lease to return, and are gone then", () => {
  const { data, addresses } = leader();
  data.step({ kind: "sessionUp", session: SESSION, isFresh: true }, START_MS);
  publish(data, [put(registration("returns")), put(registration("stays away"))], 0);
  data.step({ kind: "sessionDown", session: SESSION }, START_MS + 1_000);
  data.step({ kind: "sessionUp", session: SESSION, isFresh: true }, START_MS + 2_000);
  publish(data, [put(registration("returns", { atMs: 2_500 }))], 2_500);
  assert.equal(addresses(2_000 + LEASE_MS - 1).length, 2);
  assert.deepEqual(addresses(2_000 + LEASE_MS), ["returns 1"]);
});

test("a lost connection does not make a restarted session's old clients its own again", () => {
  const { data, addresses } = leader();
  publish(data, [put(registration("stays away"))], 0);
  data.step({ kind: "sessionDown", session: SESSION }, START_MS + 1_000);
  data.step({ kind: "sessionUp", session: SESSION, isFresh: true }, START_MS + 2_000);
  data.step({ kind: "sessionDown", session: SESSION }, START_MS + 3_000);
  data.step({ kind: "sessionUp", session: SESSION, isFresh: false }, START_MS + 4_000);
  assert.deepEqual(addresses(2_000 + LEASE_MS), []);
});

test("a cleanup also removes an older registration, whose replacement was merged away on its way", () => {
  const { data, addresses } = leader();
  publish(data, [put(registration("r", { version: 1n }))], 0);
  const stamp = { version: 2n, registeredMs: START_MS + 500 };
  publish(data, [{ kind: "remove", removal: { dataInfoId: ORDERS, registId: "r", cause: "left", stamp } }], 2_000);
  assert.deepEqual(addresses(2_000), []);
});
