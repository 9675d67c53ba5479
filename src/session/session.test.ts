import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { noMetrics } from "../base/metrics.ts";
import type { MemberToMeta } from "../messages/membership.ts";
import type { DataToSession, SessionToData } from "../messages/sessionData.ts";
import { brandDataInfoId, clientId, nodeId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type {
  ClientChannel,
  ConfigPush,
  Outcome,
  PublishRequest,
  Push,
  PushResult,
  SubscribeRequest,
} from "./registry.ts";
import { Session } from "./session.ts";

const SELF = nodeId("session-1");
const DATA = nodeId("data-1");
const ORDERS = brandDataInfoId("orders#@#I#@#G");
const START_MS = 1_700_000_000_000;
const OPTIONS = {
  id: SELF,
  clientReturnGraceMs: 1_000,
  clientRegistrationsMax: 5,
  sessionLeaseMs: 30_000,
  versionScanIntervalMs: 5_000,
  pushTimeoutMs: 2_000,
  pushRetriesMax: 3,
  pushWindowMaxMs: 1_000,
};

class Channel implements ClientChannel {
  readonly outcomes: Outcome[] = [];
  readonly pushes: Push[] = [];
  readonly configs: ConfigPush[] = [];
  result: PushResult = "sent";
  answer(_request: number, outcome: Outcome): void {
    this.outcomes.push(outcome);
  }
  push(push: Push): PushResult {
    if (this.result === "sent") this.pushes.push(push);
    return this.result;
  }
  pushConfig(push: ConfigPush): PushResult {
    this.configs.push(push);
    return this.result;
  }
  get versions(): bigint[] {
    return this.pushes.map(({ view }) => view.version);
  }
}

let toData: SessionToData[];
let toMeta: MemberToMeta[];
let session: Session;
let nowMs: number;
let clients: number;
function newSession(changes: Partial<typeof OPTIONS> = {}): Session {
  const output = {
    toData: (_node: string, message: SessionToData) => toData.push(message),
    toMeta: (message: MemberToMeta) => toMeta.push(message),
  };
  const made = new Session({ ...OPTIONS, ...changes }, { output, metrics: noMetrics, nowMs });
  made.step({ kind: "dataUp", node: DATA, isFresh: true }, nowMs);
  const table = { epoch: 1n, slots: [{ leader: DATA, leaderEpoch: 1n, followers: [] }] };
  made.step({ kind: "fromMeta", message: { kind: "slotTable", table } }, nowMs);
  return made;
}

beforeEach(() => {
  toData = [];
  toMeta = [];
  nowMs = START_MS;
  clients = 0;
  session = newSession();
});

function connect() {
  const id = clientId(`client-${++clients}`);
  const channel = new Channel();
  session.step({ kind: "connected", client: id, channel }, nowMs);
  return { id, channel };
}
type TestClient = ReturnType<typeof connect>;

function publish(client: TestClient, changes: Partial<PublishRequest> = {}): void {
  const publication = {
    dataInfoId: ORDERS,
    registId: "p1",
    version: 1n,
    zone: "Z",
    appName: "",
    attributes: new Map(),
    payload: new Uint8Array(3),
    ...changes,
  };
  session.step({ kind: "published", client: client.id, request: 1, publication }, nowMs);
}

function subscribe(client: TestClient, changes: Partial<SubscribeRequest> = {}): void {
  const subscription: SubscribeRequest = {
    dataInfoId: ORDERS,
    registId: "s1",
    version: 1n,
    scope: "dataCenter",
    zone: "Z",
    variant: "v",
    ...changes,
  };
  session.step({ kind: "subscribed", client: client.id, request: 1, subscription }, nowMs);
}

const fromData = (message: DataToSession) => session.step({ kind: "fromData", from: DATA, message }, nowMs);
const snapshot = (version: bigint, publications: Publication[] = []) =>
  fromData({ kind: "snapshot", datum: { dataInfoId: ORDERS, version, publications } });
const taken = () => {
  const batch = toData.findLast((message) => message.kind === "publish");
  if (batch !== undefined) fromData({ kind: "taken", batch: batch.batch });
};
const ackLast = ({ id, channel }: TestClient, isTaken = true) =>
  session.step({ kind: "pushAnswered", client: id, push: channel.pushes.at(-1)?.id ?? -1, isTaken }, nowMs);
const disconnect = ({ id }: TestClient) => session.step({ kind: "disconnected", client: id }, nowMs);

function pass(ms: number): void {
  const endMs = nowMs + ms;
  while (session.nextWakeMs() <= endMs) {
    nowMs = Math.max(nowMs, session.nextWakeMs());
    session.step({ kind: "woken" }, nowMs);
  }
  nowMs = endMs;
}

const batches = () => toData.flatMap((message) => (message.kind === "publish" ? [message.items] : []));
const removals = () =>
  batches()
    .flat()
    .filter(({ kind }) => kind === "remove");

test("a publication is accepted with the client's own version and sent on at once", () => {
  const client = connect();
  publish(client, { version: 7n });
  assert.deepEqual(client.channel.outcomes, [{ kind: "accepted", registId: "p1", version: 7n }]);
  const [item] = batches().flat();
  assert.ok(item?.kind === "put" && item.publication.registeredMs === START_MS);
});

test("while a batch is under way later changes gather, the newest of each registration", () => {
  const client = connect();
  for (let version = 1n; version <= 100n; version++) publish(client, { version });
  assert.equal(batches().length, 1);
  taken();
  const [, second] = batches();
  assert.equal(second?.length, 1);
  const [item] = second ?? [];
  assert.ok(item?.kind === "put" && item.publication.version === 100n);
});

test("what was under way to a data node that was lost is sent again, but nothing that is older than what waits", () => {
  const client = connect();
  publish(client, { version: 1n });
  publish(client, { version: 2n });
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  toData = [];
  session.step({ kind: "dataUp", node: DATA, isFresh: false }, nowMs);
  const items = batches().flat();
  assert.deepEqual(
    items.map((item) => item.kind === "put" && item.publication.version),
    [2n],
  );
});

test("a data node that has lost its memory hears everything again", () => {
  const client = connect();
  publish(client);
  taken();
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  toData = [];
  session.step({ kind: "dataUp", node: DATA, isFresh: true }, nowMs);
  assert.equal(batches().flat().length, 1);
});

test("the first subscriber of a service causes one fetch, the next one gets the list that is there", () => {
  const [first, second] = [connect(), connect()];
  subscribe(first);
  subscribe(connect(), { registId: "s3" });
  assert.deepEqual(toData.filter(({ kind }) => kind === "fetch").length, 1);
  snapshot(10n);
  subscribe(second);
  assert.deepEqual([first.channel.versions, second.channel.versions], [[10n], [10n]]);
  assert.equal(toData.filter(({ kind }) => kind === "fetch").length, 1);
});

test("a delta on exactly the version that is here is applied; on another one the list is fetched", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  fromData({ kind: "delta", delta: { dataInfoId: ORDERS, base: 10n, version: 11n, changes: [] } });
  toData = [];
  fromData({ kind: "delta", delta: { dataInfoId: ORDERS, base: 12n, version: 13n, changes: [] } });
  assert.deepEqual(client.channel.versions, [10n, 11n]);
  assert.deepEqual(toData, [{ kind: "fetch", dataInfoId: ORDERS, have: 11n }]);
});

test("while a push is not answered changes merge, and the answer brings the newest only", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  for (const version of [11n, 12n, 13n]) snapshot(version);
  assert.deepEqual(client.channel.versions, [10n, 11n]);
  ackLast(client);
  assert.deepEqual(client.channel.versions, [10n, 11n, 13n]);
});

test("a client that never answers gets each version once and is not waited for", () => {
  const client = connect();
  subscribe(client);
  for (const version of [10n, 11n, 12n]) snapshot(version);
  pass(60_000);
  assert.deepEqual(client.channel.versions, [10n, 11n, 12n]);
});

test("a push that is not answered is repeated with growing delay, then by the repair", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  snapshot(11n);
  const sentAt: number[] = [];
  for (let second = 0; second < 20; second++) {
    const before = client.channel.pushes.length;
    pass(500);
    if (client.channel.pushes.length > before) sentAt.push(nowMs - START_MS);
  }
  assert.deepEqual(sentAt.slice(0, 3), [2_500, 5_500, 9_000]);
  assert.ok(client.channel.versions.slice(1).every((version) => version === 11n));
});

test("a version is never pushed after a higher one", () => {
  const client = connect();
  subscribe(client);
  for (const version of [12n, 11n, 10n, 13n]) {
    snapshot(version);
    ackLast(client);
  }
  assert.deepEqual(client.channel.versions, [12n, 13n]);
});

test("a client that does not read is not pushed to, and gets the newest list when it reads again", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  client.channel.result = "blocked";
  for (const version of [11n, 12n]) snapshot(version);
  client.channel.result = "sent";
  session.step({ kind: "drained", client: client.id }, nowMs);
  assert.deepEqual(client.channel.versions, [10n, 12n]);
});

test("a client that returns within the grace, on another connection, causes no removal", () => {
  const first = connect();
  publish(first);
  taken();
  disconnect(first);
  pass(600);
  publish(connect());
  taken();
  pass(60_000);
  assert.deepEqual(removals(), []);
});

test("a client that returns late is removed after the grace, by the very stamp that it had", () => {
  const client = connect();
  publish(client);
  taken();
  disconnect(client);
  pass(999);
  assert.deepEqual(removals(), []);
  pass(1);
  const stamp = { version: 1n, registeredMs: START_MS };
  assert.deepEqual(removals(), [
    { kind: "remove", removal: { dataInfoId: ORDERS, registId: "p1", cause: "left", stamp } },
  ]);
});

test("a client that comes back with many publishers keeps those that it has not yet repeated", () => {
  const first = connect();
  for (const registId of ["p1", "p2", "p3", "p4"]) publish(first, { registId });
  disconnect(first);
  pass(500);
  const back = connect();
  for (const registId of ["p1", "p2", "p3"]) {
    publish(back, { registId });
    taken();
    pass(900);
  }
  assert.deepEqual(removals(), []);
  pass(10_000);
  taken();
  assert.equal(removals().length, 1, "the fourth was given up");
});

test("a subscriber that returns within the grace is not pushed what it confirmed, but is pushed what it missed", () => {
  const first = connect();
  subscribe(first);
  snapshot(10n);
  ackLast(first);
  disconnect(first);
  pass(500);
  const back = connect();
  subscribe(back);
  assert.deepEqual(back.channel.versions, []);
  snapshot(11n);
  assert.deepEqual(back.channel.versions, [11n]);
});

test("what the old connection still had under way does not take the registration from the living one", () => {
  const [old, back] = [connect(), connect()];
  publish(back);
  publish(old);
  assert.equal(old.channel.outcomes.length, 1, "it is answered all the same");
  taken();
  disconnect(old);
  pass(60_000);
  assert.deepEqual(removals(), []);
});

test("a long grace is not cut short by the first sign of the client's return", () => {
  session = newSession({ clientReturnGraceMs: 20_000 });
  const first = connect();
  for (const registId of ["p1", "p2"]) publish(first, { registId });
  disconnect(first);
  publish(connect(), { registId: "p1" });
  taken();
  pass(19_000);
  assert.deepEqual(removals(), []);
});

test("a process that was away while a client returned does not take it for dead", () => {
  const first = connect();
  publish(first);
  taken();
  disconnect(first);
  nowMs += 1_500;
  session.step({ kind: "woken" }, nowMs);
  publish(connect());
  taken();
  pass(60_000);
  assert.deepEqual(removals(), []);
});

test("the end of a client with many publishers is spread over many steps", () => {
  session = newSession({ clientRegistrationsMax: 10_000 });
  const client = connect();
  for (let at = 0; at < 2_000; at++) publish(client, { registId: `p${at}` });
  disconnect(client);
  nowMs += 1_000;
  session.step({ kind: "woken" }, nowMs);
  assert.equal(session.nextWakeMs() <= nowMs, true, "there is more to do");
  for (let round = 0; round < 50; round++) {
    taken();
    pass(0);
  }
  assert.equal(removals().length, 2_000);
});

test("the later of two clients with one registId wins, and the end of the earlier one removes nothing", () => {
  const [first, second] = [connect(), connect()];
  publish(first);
  publish(second);
  taken();
  disconnect(first);
  pass(60_000);
  assert.deepEqual(removals(), []);
  disconnect(second);
  pass(1_000);
  taken();
  assert.equal(removals().length, 1);
});

test("an older version of a registration is answered but not sent on", () => {
  const client = connect();
  publish(client, { version: 5n });
  taken();
  toData = [];
  publish(client, { version: 4n });
  assert.deepEqual(client.channel.outcomes.at(-1), { kind: "accepted", registId: "p1", version: 4n });
  assert.deepEqual(batches(), []);
});

test("a client at its limit is refused further registrations, but may renew those that it has", () => {
  const client = connect();
  for (let at = 0; at < 5; at++) publish(client, { registId: `p${at}` });
  publish(client, { registId: "p9" });
  publish(client, { registId: "p1", version: 2n });
  assert.deepEqual(
    client.channel.outcomes.slice(5).map(({ kind }) => kind),
    ["failed", "accepted"],
  );
});

test("a subscriber that now looks elsewhere is shown the list again", () => {
  const client = connect();
  subscribe(client, { scope: "zone" });
  snapshot(10n);
  ackLast(client);
  subscribe(client, { scope: "global", version: 2n });
  assert.deepEqual(
    client.channel.pushes.map(({ scope }) => scope),
    ["zone", "global"],
  );
});

test("a subscriber that joins others while their push is under way gets the list when the window ends", () => {
  const many = Array.from({ length: 500 }, () => connect());
  for (const each of many) subscribe(each);
  snapshot(10n);
  for (const each of many) ackLast(each);
  pass(1_000);
  snapshot(11n);
  const [first] = many;
  assert.ok(first);
  subscribe(first, { registId: "s2" });
  ackLast(first);
  pass(200);
  assert.deepEqual(first.channel.pushes.at(-1)?.registIds, ["s2"]);
});

test("many changes that are only announced cause one fetch, and one more for what came after it", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  toData = [];
  for (let version = 11n; version <= 60n; version++) fromData({ kind: "changed", dataInfoId: ORDERS, version });
  assert.equal(toData.length, 1);
  snapshot(40n);
  assert.deepEqual(toData.at(-1), { kind: "fetch", dataInfoId: ORDERS, have: 40n });
  snapshot(60n);
  assert.equal(toData.length, 2);
});

test("the last subscriber that leaves releases the service", () => {
  const client = connect();
  subscribe(client);
  const key = { dataInfoId: ORDERS, registId: "s1", version: 2n };
  session.step({ kind: "unsubscribed", client: client.id, request: 2, key }, nowMs);
  assert.deepEqual(toData.at(-1), { kind: "release", dataInfoIds: [ORDERS] });
  snapshot(10n);
  assert.deepEqual(client.channel.versions, []);
});

test("the versions of all subscribed services are scanned regularly, and after a data node is back", () => {
  subscribe(connect());
  snapshot(10n);
  toData = [];
  pass(5_000);
  assert.deepEqual(toData, [{ kind: "scan", versions: [[ORDERS, 10n]] }]);
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  session.step({ kind: "dataUp", node: DATA, isFresh: false }, nowMs);
  assert.equal(toData.length, 2);
});

test("a hot service gathers its changes for a while that grows with the cost of its pushes", () => {
  const subscribers = Array.from({ length: 1_000 }, () => connect());
  for (const client of subscribers) subscribe(client);
  snapshot(10n);
  for (const client of subscribers) ackLast(client);
  for (let version = 11n; version <= 30n; version++) snapshot(version);
  const count = () => subscribers.reduce((sum, { channel }) => sum + channel.pushes.length, 0);
  assert.equal(count(), 1_000);
  pass(100);
  assert.equal(count(), 2_000, "20 changes within the window are one push each");
});

test("subscribers that answer fast do not make a hot service push faster than its window", () => {
  const subscribers = Array.from({ length: 1_000 }, () => connect());
  for (const client of subscribers) subscribe(client);
  snapshot(10n);
  for (let version = 11n; version <= 30n; version++) {
    snapshot(version);
    for (const client of subscribers) ackLast(client);
  }
  const count = () => subscribers.reduce((sum, { channel }) => sum + channel.pushes.length, 0);
  assert.equal(count(), 1_000);
  pass(100);
  assert.equal(count(), 2_000);
  assert.ok(subscribers.every(({ channel }) => channel.versions.at(-1) === 30n));
});

test("a configuration is pushed when it is watched and when it changes, newest only", () => {
  const client = connect();
  const key = { dataInfoId: ORDERS, registId: "c1", version: 0n };
  session.step({ kind: "watchedConfig", client: client.id, request: 1, key }, nowMs);
  assert.deepEqual(toMeta.at(-1), { kind: "watchConfig", dataInfoIds: [ORDERS] });
  const config = (version: bigint, data: string | null) =>
    session.step(
      { kind: "fromMeta", message: { kind: "config", value: { dataInfoId: ORDERS, version, data } } },
      nowMs,
    );
  config(5n, null);
  config(6n, "a");
  config(5n, "late");
  assert.deepEqual(
    client.channel.configs.map(({ version, data }) => [version, data]),
    [
      [5n, null],
      [6n, "a"],
    ],
  );
});

test("registrations that come before the first slot table are kept and sent when it is there", () => {
  const output = { toData: (_node: string, message: SessionToData) => toData.push(message), toMeta: () => undefined };
  session = new Session(OPTIONS, { output, metrics: noMetrics, nowMs });
  toData = [];
  publish(connect());
  assert.deepEqual(toData, []);
  session.step({ kind: "dataUp", node: DATA, isFresh: true }, nowMs);
  const table = { epoch: 1n, slots: [{ leader: DATA, leaderEpoch: 1n, followers: [] }] };
  session.step({ kind: "fromMeta", message: { kind: "slotTable", table } }, nowMs);
  assert.equal(batches().flat().length, 1);
});
