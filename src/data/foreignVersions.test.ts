// A version named on the node port: the same numbers at every place where a data node takes one.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LeaderToFollower } from "../cluster/messages/replication.ts";
import { ALL_SERVICES } from "../model/catalogue.ts";
import { VERSION_FLOOR_MAX, versionAt } from "../model/version.ts";
import {
  kinds,
  ORDERS,
  OTHER,
  PEER,
  publication,
  put,
  SELF,
  SESSION,
  START_MS,
  serving,
  TestData,
} from "./testing/harness.ts";

const LAST = 2n ** 63n - 1n;
const HOUR_MS = 3_600_000;
const FROM_AFAR = [LAST, LAST - 2n ** 40n, VERSION_FLOOR_MAX, versionAt(START_MS + 24 * HOUR_MS) + 1n, -1n];
const AHEAD = versionAt(START_MS + 23 * HOUR_MS);
const ORIGIN = 9n;

/** A follower of PEER that has asked it for its copy. */
function following(): { node: TestData; say: (message: LeaderToFollower) => void } {
  const node = new TestData();
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER);
  node.table({ leader: PEER, followers: [SELF] });
  node.step({ kind: "leaderUp", node: PEER });
  return { node, say: (message) => node.step({ kind: "fromLeader", from: PEER, message }) };
}

const replicaOf = (version: bigint): LeaderToFollower => {
  const datum = { serviceKey: ORDERS, version, origin: 1n, publications: [publication()], tombstones: [] };
  return { kind: "replica", slot: 0, leaderEpoch: 1n, datums: [datum], gone: [], isLast: true };
};

/** Each place at which a version arrives, and the way. */
const ENTRIES: Readonly<Record<string, (version: bigint) => TestData>> = {
  fetch(version) {
    const node = serving();
    node.publish(put());
    assert.deepEqual(kinds(node.fetch({ version, origin: ORIGIN })), ["snapshot"], "it is answered all the same");
    return node;
  },
  scan(version) {
    const node = serving();
    node.publish(put());
    node.tell({ kind: "scan", versions: [[ORDERS, { version, origin: ORIGIN }]] }, OTHER);
    return node;
  },
  recalled(version) {
    const node = serving();
    node.publish(put());
    const list = { serviceKey: ORDERS, version, origin: ORIGIN, publications: [publication()] };
    node.step({ kind: "sessionDown", session: SESSION });
    node.table({ leaderEpoch: 10n });
    node.tell({ kind: "recalled", datum: list }, OTHER);
    return node;
  },
  catalogue(version) {
    const node = serving();
    node.publish(put());
    const ahead = [[ORDERS, { version, origin: ORIGIN }]] as const;
    const told = node.tell({ kind: "catalogueWatch", scope: ALL_SERVICES, known: [], unknown: [0], ahead }, OTHER);
    assert.deepEqual(kinds(told), ["catalogue"], "it is answered all the same");
    return node;
  },
  follow(version) {
    const node = serving();
    node.publish(put());
    const held = [{ serviceKey: ORDERS, version, origin: 0n, count: 1, digest: 1n }];
    node.step({ kind: "fromFollower", from: PEER, message: { kind: "follow", slot: 0, leaderEpoch: 1n, kept: held } });
    assert.equal(node.toFollower.at(-1)?.message.kind, "replica", "it is answered all the same");
    return node;
  },
  replica(version) {
    const { node, say } = following();
    say(replicaOf(version));
    return node;
  },
  change(version) {
    const { node, say } = following();
    say({ kind: "replica", slot: 0, leaderEpoch: 1n, datums: [], gone: [], isLast: true });
    const change = { kind: "change", slot: 0, leaderEpoch: 1n, serviceKey: ORDERS, version, origin: 1n } as const;
    say({ ...change, items: [put()], expected: 0 });
    return node;
  },
};

for (const [what, name] of Object.entries(ENTRIES)) {
  test(`${what}: a version from afar changes nothing on disk, and operators hear of it`, () => {
    for (const version of FROM_AFAR) {
      const node = name(version);
      assert.deepEqual([...new Set(node.refusedVersions)], [what], String(version));
      node.pass(60_000);
      assert.ok(node.savedFloors.every((floor) => floor < versionAt(START_MS + HOUR_MS)));
      if (node.data.slotsLed === 0) node.table({ leader: SELF });
      node.pass(31_000);
      assert.deepEqual(kinds(node.publish(put({ registId: "r9" }))).at(-1), "taken", "the node goes on");
      const given = node.list().state.version;
      assert.ok(given < versionAt(START_MS + HOUR_MS), `v${given}`);
    }
  });

  test(`${what}: a version of a clock that is hours ahead is believed`, () => {
    assert.deepEqual(name(AHEAD).refusedVersions, []);
  });
}

/** Meta's table, with the version floor from its members. */
function told(node: TestData, versionFloor: bigint): void {
  const table = { epoch: 2n, slots: [{ leader: SELF, leaderEpoch: 1n, followers: [] }] };
  node.step({ kind: "fromMeta", message: { kind: "slotTable", table, versionFloor } });
}

test("a floor of meta that leaves no room for versions changes nothing", () => {
  for (const version of [LAST, LAST - 2n ** 40n, VERSION_FLOOR_MAX + 1n, -1n]) {
    const node = serving();
    told(node, version);
    assert.deepEqual(node.refusedVersions, ["slotTable"]);
    node.publish(put());
    assert.ok(node.list().state.version < versionAt(START_MS + HOUR_MS));
  }
});

test("a node whose clock is days behind goes by what meta says, believes the others, and says so", () => {
  const cluster = START_MS + 700 * 24 * HOUR_MS;
  const node = serving();
  node.publish(put());
  told(node, versionAt(cluster));
  assert.deepEqual(node.behindMs, [cluster - START_MS]);
  const have = { version: versionAt(cluster + HOUR_MS), origin: 0n };
  assert.deepEqual(kinds(node.fetch(have)), ["snapshot"]);
  assert.ok(node.list().state.version > have.version, "the session's list is gone above");
  node.fetch({ version: versionAt(cluster + 25 * HOUR_MS), origin: ORIGIN });
  assert.deepEqual(node.refusedVersions, ["fetch"], "but nothing from afar of the cluster's clock");
});

test("a slot of which something from afar was refused is not held whole, and the leader is asked again", () => {
  const { node, say } = following();
  say(replicaOf(LAST));
  const inSync = () => {
    const heartbeat = node.toMeta.findLast((message) => message.kind === "heartbeat");
    return heartbeat?.slots?.inSync;
  };
  node.pass(1_000);
  assert.deepEqual(inSync(), []);
  node.pass(10_000);
  assert.equal(node.toLeader.length, 2);
  say(replicaOf(AHEAD));
  node.pass(1_000);
  assert.deepEqual(inSync(), [0]);
});

test("a node whose own clock was days ahead starts, leads, and is believed by itself", () => {
  const floor = versionAt(START_MS + 300 * 24 * HOUR_MS);
  const node = serving({ versionFloor: floor });
  node.publish(put());
  const { state } = node.list();
  assert.ok(state.version > floor, "its clients have seen that");
  assert.deepEqual(kinds(node.fetch(state)), ["current"]);
  assert.deepEqual(kinds(node.fetch({ version: floor, origin: ORIGIN })), ["snapshot"]);
  assert.deepEqual(node.refusedVersions, []);
  node.fetch({ version: state.version + (1n << 40n), origin: ORIGIN });
  assert.deepEqual(node.refusedVersions, ["fetch"], "nobody takes it further");
});
