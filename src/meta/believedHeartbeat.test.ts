import assert from "node:assert/strict";
import { test } from "node:test";
import { type MembersVersion, NO_MEMBERS } from "../cluster/messages/membership.ts";
import { nodeId } from "../model/ids.ts";
import { versionAt } from "../model/version.ts";
import type { MetaCluster } from "./testing/metaCluster.ts";
import { epochsOf, leaderOf, settledCluster } from "./testing/settledCluster.ts";

const LAST = 2n ** 63n - 1n;
const HOUR_MS = 3_600_000;

interface Said {
  readonly newestVersion?: bigint;
  readonly tableEpoch?: bigint;
  readonly members?: MembersVersion;
}

/** A stranger to the cluster sends this to all meta nodes, as a data node. */
function say(cluster: MetaCluster, { tableEpoch = 0n, members = NO_MEMBERS, ...rest }: Said): void {
  const message = { kind: "heartbeat", role: "data", address: "x:1", isLeaving: true } as const;
  const from = { id: nodeId("x.a"), role: "data" } as const;
  for (const meta of cluster.metas.values()) {
    meta.step({ kind: "received", from, message: { ...message, tableEpoch, members, ...rest } });
  }
}

/** The floor sent to a data node that gets a dead node's slots. */
function floorAfterADeath(cluster: MetaCluster): bigint | undefined {
  cluster.member("d1.a").kill();
  cluster.run(3_000);
  return cluster.member("d2.a").heard.findLast((message) => message.kind === "slotTable")?.versionFloor;
}

test("a version that no clock can have given is told to nobody", () => {
  for (const step of [0n, 2n ** 15n, 2n ** 40n, 2n ** 62n]) {
    const cluster = settledCluster();
    say(cluster, { newestVersion: LAST - step });
    assert.ok(cluster.refusedVersions.includes("newestVersion"));
    assert.equal(floorAfterADeath(cluster), 0n);
  }
});

test("a version of a clock that is hours ahead is told on", () => {
  const cluster = settledCluster();
  const newestVersion = versionAt(cluster.nowMs + 23 * HOUR_MS);
  say(cluster, { newestVersion });
  assert.equal(floorAfterADeath(cluster), newestVersion);
  assert.deepEqual(cluster.refusedVersions, []);
});

test("an epoch from afar makes no later table, and nobody gives the lead up for it", () => {
  const cluster = settledCluster();
  const { name } = leaderOf(cluster);
  for (const tableEpoch of [LAST, 2n ** 62n, -1n]) {
    say(cluster, { tableEpoch });
    assert.equal(leaderOf(cluster).name, name);
  }
  cluster.run(20_000);
  assert.ok(
    epochsOf(cluster).every((epoch) => epoch < 10n),
    String(epochsOf(cluster)),
  );
  assert.ok(cluster.refusedVersions.every((what) => what === "tableEpoch"));
});

test("a list from afar is not gone above", () => {
  const cluster = settledCluster();
  for (const members of [
    { epoch: LAST, serial: 1 },
    { epoch: 1n, serial: Number.MAX_SAFE_INTEGER },
  ]) {
    say(cluster, { members });
    cluster.run(2_000);
  }
  cluster.member("s2.a").kill();
  cluster.run(5_000);
  const list = cluster.member("s1.a").list;
  assert.ok(list !== undefined && list.epoch < 10n && list.serial < 100);
  assert.ok(!list.list.some(({ id }) => id === "s2.a"), "members hear of changes");
});

test("a table that the store has lost is still gone above", () => {
  const cluster = settledCluster();
  say(cluster, { tableEpoch: 1_000n });
  cluster.run(10_000);
  assert.deepEqual(cluster.refusedVersions, []);
  assert.ok(epochsOf(cluster).some((epoch) => epoch > 1_000n));
});
