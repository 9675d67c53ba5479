import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { noMetrics } from "../base/metrics.ts";
import type { DataToSession, PublishItem, SessionToData } from "../messages/sessionData.ts";
import { brandDataInfoId, clientId, type DataInfoId, nodeId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import { Data, type DataMemory } from "./data.ts";

const SELF = nodeId("data-1");
const SESSION = nodeId("session-1");
const OTHER = nodeId("session-2");
const ORDERS = brandDataInfoId("orders#@#I#@#G");
const START_MS = 1_700_000_000_000;

let sent: { to: string; message: DataToSession }[];
let savedFloors: bigint[];
let savedSizes: [DataInfoId, number][];
beforeEach(() => {
  sent = [];
  savedFloors = [];
  savedSizes = [];
});

function leader(memory: Partial<DataMemory> = {}): Data {
  const output = {
    toMeta: () => undefined,
    send: (to: string, message: DataToSession) => sent.push({ to, message }),
    saveVersionFloor: (floor: bigint) => savedFloors.push(floor),
    saveServiceSizes: (sizes: ReadonlyMap<DataInfoId, number>) => savedSizes.push(...sizes),
  };
  const options = {
    id: SELF,
    operatorLogEntries: 3,
    tombstoneMs: 180_000,
    sessionLeaseMs: 30_000,
    restartHoldMs: 15_000,
    versionScanIntervalMs: 5_000,
  };
  const data = new Data(
    options,
    { versionFloor: 0n, serviceSizes: new Map(), ...memory },
    { output, metrics: noMetrics, nowMs: START_MS },
  );
  data.step(
    { kind: "slotTable", table: { epoch: 1n, slots: [{ leader: SELF, leaderEpoch: 1n, followers: [] }] } },
    START_MS,
  );
  return data;
}

function publication(changes: Partial<Publication> & { address?: string } = {}): Publication {
  const { address = "10.0.0.1:80", ...rest } = changes;
  return {
    dataInfoId: ORDERS,
    registId: "r1",
    version: 1n,
    registeredMs: START_MS,
    owner: { session: SESSION, client: clientId("c1") },
    zone: "Z",
    appName: "",
    attributes: new Map(),
    payload: new TextEncoder().encode(address),
    ...rest,
  };
}

const put = (changes: Partial<Publication> & { address?: string } = {}): PublishItem => ({
  kind: "put",
  publication: publication(changes),
});
const removed = (
  cause: "left" | "unpublished",
  stamp: { version: bigint; registeredMs: number },
  registId = "r1",
): PublishItem => ({
  kind: "remove",
  removal: { dataInfoId: ORDERS, registId, cause, stamp },
});

function tell(data: Data, message: SessionToData, { from = SESSION, atMs = START_MS } = {}): DataToSession[] {
  sent = [];
  data.step({ kind: "received", from, message }, atMs);
  return sent.map(({ message: answer }) => answer);
}

const publish = (data: Data, items: PublishItem[], atMs = START_MS) =>
  tell(data, { kind: "publish", batch: 1, epoch: 1n, items }, { atMs });

function list(data: Data, atMs = START_MS): { version: bigint; addresses: string[] } {
  const [answer] = tell(data, { kind: "fetch", dataInfoId: ORDERS, have: 0n }, { from: OTHER, atMs });
  assert.ok(answer?.kind === "snapshot", `expected a snapshot, got ${answer?.kind}`);
  const { version, publications } = answer.datum;
  return { version, addresses: publications.map(({ payload }) => new TextDecoder().decode(payload)) };
}

test("a batch is taken, and its changes become one version and one notice", () => {
  const data = leader();
  const before = list(data).version;
  const messages = publish(data, [put({ registId: "r1", address: "a" }), put({ registId: "r2", address: "b" })]);
  assert.deepEqual(
    messages.map(({ kind }) => kind),
    ["delta", "taken"],
  );
  const [notice] = messages;
  assert.ok(notice?.kind === "delta" && notice.delta.base === before && notice.delta.changes.length === 2);
  assert.deepEqual(list(data).addresses, ["a", "b"]);
});

test("a late write of an older version does not undo the newer one", () => {
  const data = leader();
  publish(data, [put({ version: 2n, address: "new" })]);
  publish(data, [put({ version: 1n, address: "old", registeredMs: START_MS + 99 })]);
  assert.deepEqual(list(data).addresses, ["new"]);
});

test("the late cleanup of an old connection does not remove the registration of the new one", () => {
  const data = leader();
  publish(data, [put({ registeredMs: START_MS })]);
  publish(data, [put({ registeredMs: START_MS + 500, owner: { session: OTHER, client: clientId("c2") } })]);
  publish(data, [removed("left", { version: 1n, registeredMs: START_MS })]);
  assert.deepEqual(list(data).addresses, ["10.0.0.1:80"]);
});

test("an unpublish leaves a tombstone that nothing older passes", () => {
  const data = leader();
  publish(data, [put({ version: 1n })]);
  publish(data, [removed("unpublished", { version: 2n, registeredMs: START_MS })]);
  publish(data, [put({ version: 1n, registeredMs: START_MS + 9 })]);
  assert.deepEqual(list(data).addresses, []);
  publish(data, [put({ version: 3n })]);
  assert.deepEqual(list(data).addresses, ["10.0.0.1:80"]);
});

test("an unpublish that overtakes its own registration still wins", () => {
  const data = leader();
  publish(data, [put({ registId: "r2", address: "other" })]);
  publish(data, [removed("unpublished", { version: 2n, registeredMs: START_MS })]);
  publish(data, [put({ version: 1n })]);
  assert.deepEqual(list(data).addresses, ["other"]);
});

test("a client that was removed as gone may come back with the same version, later", () => {
  const data = leader();
  publish(data, [put()]);
  publish(data, [removed("left", publication())]);
  assert.deepEqual(list(data).addresses, []);
  publish(data, [put({ registeredMs: START_MS + 2_000 })]);
  assert.deepEqual(list(data).addresses, ["10.0.0.1:80"]);
});

test("a client that only reconnected changes neither version nor list, and is no news", () => {
  const data = leader();
  publish(data, [put()]);
  const { version } = list(data);
  const messages = publish(data, [put({ registeredMs: START_MS + 500 })]);
  assert.deepEqual(
    messages.map(({ kind }) => kind),
    ["taken"],
  );
  assert.equal(list(data).version, version);
});

test("whoever is a little behind gets the difference, whoever is far behind the list", () => {
  const data = leader();
  publish(data, [put({ registId: "r1" }), put({ registId: "r2" }), put({ registId: "r3" })]);
  const old = list(data).version;
  publish(data, [put({ registId: "r1", version: 2n, address: "x" })]);
  const [near] = tell(data, { kind: "fetch", dataInfoId: ORDERS, have: old });
  assert.ok(near?.kind === "delta" && near.delta.base === old && near.delta.changes.length === 1);
  for (let version = 3n; version < 8n; version++)
    publish(data, [put({ registId: "r1", version, address: String(version) })]);
  assert.equal(tell(data, { kind: "fetch", dataInfoId: ORDERS, have: old })[0]?.kind, "snapshot");
});

test("a service that nobody publishes has a version, and a later publication a higher one", () => {
  const data = leader();
  const empty = list(data);
  publish(data, [put()]);
  assert.deepEqual(empty.addresses, []);
  assert.ok(list(data).version > empty.version);
});

test("a session that knows a higher version than this node is answered with one above it", () => {
  const data = leader();
  publish(data, [put()]);
  const have = list(data).version + 1_000_000n;
  const [answer] = tell(data, { kind: "scan", versions: [[ORDERS, have]] });
  assert.ok(answer?.kind === "snapshot" && answer.datum.version > have);
});

test("only sessions with subscribers hear of a change, and not after they released the service", () => {
  const data = leader();
  tell(data, { kind: "fetch", dataInfoId: ORDERS, have: 0n });
  publish(data, [put()]);
  assert.deepEqual(
    sent.filter(({ message }) => message.kind === "delta").map(({ to }) => to),
    [SESSION],
  );
  tell(data, { kind: "release", dataInfoIds: [ORDERS] });
  assert.deepEqual(
    publish(data, [put({ version: 2n, address: "x" })]).map(({ kind }) => kind),
    ["taken"],
  );
});

test("a change that is too large for a notice is only announced", () => {
  const data = leader();
  tell(data, { kind: "fetch", dataInfoId: ORDERS, have: 0n });
  const messages = publish(data, [put({ payload: new Uint8Array(100_000) })]);
  assert.deepEqual(
    messages.map(({ kind }) => kind),
    ["changed", "taken"],
  );
});

test("a slot that another node leads is not taken, and the sender learns the epoch", () => {
  const data = leader();
  const table = { epoch: 2n, slots: [{ leader: nodeId("data-2"), leaderEpoch: 2n, followers: [] }] };
  data.step({ kind: "slotTable", table }, START_MS);
  assert.deepEqual(publish(data, [put()]), [{ kind: "moved", batch: 1, epoch: 2n }]);
});

test("the publications of a session that stays away longer than its lease are removed, others stay", () => {
  const data = leader();
  publish(data, [
    put({ registId: "r1" }),
    put({ registId: "r2", owner: { session: OTHER, client: clientId("c2") }, address: "b" }),
  ]);
  data.step({ kind: "sessionDown", session: SESSION }, START_MS);
  data.step({ kind: "woken" }, START_MS + 29_999);
  assert.equal(list(data).addresses.length, 2);
  data.step({ kind: "woken" }, START_MS + 30_000);
  assert.deepEqual(list(data).addresses, ["b"]);
});

test("a session that comes back within its lease loses nothing", () => {
  const data = leader();
  publish(data, [put()]);
  data.step({ kind: "sessionDown", session: SESSION }, START_MS);
  data.step({ kind: "sessionUp", session: SESSION, isFresh: false }, START_MS + 20_000);
  data.step({ kind: "woken" }, START_MS + 60_000);
  assert.equal(list(data, START_MS + 60_000).addresses.length, 1);
});

test("after a restart a service is held back until as many publishers are back as there were", () => {
  const data = leader({ serviceSizes: new Map([[ORDERS, 2]]) });
  assert.deepEqual(tell(data, { kind: "fetch", dataInfoId: ORDERS, have: 0n }), [
    { kind: "notReady", dataInfoId: ORDERS },
  ]);
  assert.deepEqual(
    publish(data, [put({ registId: "r1" })]).map(({ kind }) => kind),
    ["taken"],
  );
  const [whole] = publish(data, [put({ registId: "r2" })]);
  assert.ok(whole?.kind === "snapshot" && whole.datum.publications.length === 2);
});

test("a held service is shown as it is when the hold ends", () => {
  const data = leader({ serviceSizes: new Map([[ORDERS, 2]]) });
  tell(data, { kind: "fetch", dataInfoId: ORDERS, have: 0n });
  publish(data, [put()]);
  sent = [];
  data.step({ kind: "woken" }, START_MS + 15_000);
  const [whole] = sent.map(({ message }) => message);
  assert.ok(whole?.kind === "snapshot" && whole.datum.publications.length === 1);
  data.step({ kind: "woken" }, data.nextWakeMs());
  assert.deepEqual(savedSizes, [[ORDERS, 1]]);
});

test("the sizes of changed services are saved soon, and together", () => {
  const data = leader();
  publish(data, [put()]);
  publish(data, [put({ registId: "r2" })]);
  assert.deepEqual(savedSizes, []);
  data.step({ kind: "woken" }, data.nextWakeMs());
  assert.deepEqual(savedSizes, [[ORDERS, 2]]);
});

test("every version is below the floor that was saved for the next life", () => {
  const data = leader();
  for (let second = 0; second < 60; second++) {
    publish(data, [put({ version: BigInt(second + 1), address: `${second}` })], START_MS + second * 1_000);
    assert.ok(list(data, START_MS + second * 1_000).version < (savedFloors.at(-1) ?? 0n));
  }
  assert.ok(savedFloors.length < 20, `${savedFloors.length} writes in a minute`);
});

test("a tombstone is forgotten after its time, and with it the empty service", () => {
  const data = leader();
  publish(data, [put()]);
  publish(data, [removed("unpublished", { version: 2n, registeredMs: START_MS })]);
  data.step({ kind: "woken" }, START_MS + 180_000);
  publish(data, [put({ version: 1n })], START_MS + 180_000);
  assert.deepEqual(list(data, START_MS + 180_000).addresses, ["10.0.0.1:80"]);
});

test("a publisher that returned after the restart and unpublished is not waited for again", () => {
  const data = leader({ serviceSizes: new Map([[ORDERS, 2]]) });
  publish(data, [put({ registId: "r1" })]);
  publish(data, [removed("unpublished", { version: 2n, registeredMs: START_MS })]);
  tell(data, { kind: "fetch", dataInfoId: ORDERS, have: 0n });
  const [whole] = publish(data, [put({ registId: "r2" })]);
  assert.ok(whole?.kind === "snapshot" && whole.datum.publications.length === 1);
});

test("a client that left a service which nobody knows leaves nothing behind", () => {
  const data = leader();
  const before = list(data).version;
  tell(data, { kind: "release", dataInfoIds: [ORDERS] }, { from: OTHER });
  publish(data, [removed("left", publication())]);
  const [answer] = tell(data, { kind: "fetch", dataInfoId: ORDERS, have: before });
  assert.ok(answer?.kind === "snapshot" && answer.datum.version > before, "the service was made anew");
});
