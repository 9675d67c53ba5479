// h: versions from afar, on the port for other nodes.

import { encodeMemberToMeta } from "../../../src/cluster/codec/membership.ts";
import { encodeFollowerToLeader } from "../../../src/cluster/codec/replication.ts";
import { encodeSessionToData } from "../../../src/cluster/codec/sessionData.ts";
import { makeServiceKey } from "../../../src/model/serviceKey.ts";
import { SLOT_COUNT, slotOf } from "../../../src/model/slot.ts";
import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker/attacker.ts";
import { GROUP, INSTANCE_ID } from "../attacker/frames.ts";
import { NodeLink } from "../attacker/nodeLink.ts";
import { honestService } from "../honest/names.ts";
import { shows } from "../honest/shows.ts";

const LAST = 2n ** 63n - 1n;
// The sequence within a millisecond takes 15 bits: one step below the last.
const VERSIONS = [LAST, LAST - 2n ** 15n, LAST - 2n ** 40n, 2n ** 62n];
const SERVICES = 4;
const ORIGIN = 1n;
const PAUSE_MS = 150;

export const foreignVersions: Attack = {
  letter: "h",
  name: "foreign-versions",
  isLight: true,
  sends: "heartbeats, fetches and follows on the node port with versions of 2^63-1 and a little less",
  expected: "refused or ignored, also by what is on disk after a restart",
  full: 5,
  short: 1,
  server: { hasNodePort: true },
  async strike(attacker) {
    for (let round = 0; round < attacker.size && !attacker.isOver; round++) {
      for (const [number, version] of VERSIONS.entries()) await strikeWith(attacker, `${round}-${number}`, version);
    }
  },
  async look({ restart }) {
    return (await shows(await restart())) ? [] : ["after a restart a new publisher is not shown"];
  },
};

async function strikeWith(attacker: Attacker, name: string, version: bigint): Promise<void> {
  const asData = await NodeLink.open(attacker, { from: `attacker-${name}.1`, roles: ["data"], link: "meta" });
  asData?.say("roster.MemberToMeta", heartbeat(version));
  await attacker.pause(PAUSE_MS);
  const asSession = await NodeLink.open(attacker, { from: `attacker-${name}.2`, roles: ["session"], link: "data" });
  const asFollower = await NodeLink.open(attacker, {
    from: `attacker-${name}.1`,
    roles: ["data"],
    link: "replication",
  });
  for (let number = 0; number < SERVICES; number++) {
    const serviceKey = makeServiceKey({ name: honestService(number), namespace: INSTANCE_ID, group: GROUP });
    const have = { version, origin: ORIGIN };
    asSession?.say("roster.SessionToData", encodeSessionToData({ kind: "fetch", serviceKey, have }));
    asSession?.say("roster.SessionToData", encodeSessionToData({ kind: "scan", versions: [[serviceKey, have]] }));
    const held = [{ serviceKey, version, origin: ORIGIN, count: 1, digest: 1n }];
    for (const leaderEpoch of [1n, 2n, 3n]) {
      const slot = slotOf(serviceKey, SLOT_COUNT);
      asFollower?.say(
        "roster.FollowerToLeader",
        encodeFollowerToLeader({ kind: "follow", slot, leaderEpoch, kept: held }),
      );
    }
  }
  await attacker.pause(PAUSE_MS);
  for (const link of [asData, asSession, asFollower]) {
    const state = link?.isAccepted === true ? "accepted" : "refused";
    attacker.tally.note(`links were ${state}${link?.isClosed === true ? " and closed" : ""}`);
    link?.close();
  }
}

function heartbeat(newestVersion: bigint): Uint8Array {
  return encodeMemberToMeta({
    kind: "heartbeat",
    role: "data",
    address: "127.0.0.1:9",
    tableEpoch: 0n,
    members: { epoch: 0n, serial: 0 },
    isLeaving: false,
    slots: { serving: [], held: [], inSync: [] },
    newestVersion,
  });
}
