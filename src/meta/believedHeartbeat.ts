// What a member says that it knows is taken for granted by the leading meta node: it tells all data nodes to go on
// above the highest version, and makes its next table and its next list later than the latest of them. A number from
// afar would be with every node then, and in the store, and near the last number that there is nothing is later. So it
// is left out where it comes in; the rest of the heartbeat counts.

import { type Heartbeat, type MembersVersion, NO_MEMBERS } from "../cluster/messages/membership.ts";
import { isCredible } from "../model/version.ts";
import type { RefusedClaim } from "./metaPorts.ts";

// A table or a list every millisecond for seven weeks. A store that was set back to a copy of last year lacks less.
const EPOCHS_AHEAD_MAX = 1n << 32n;
// Of one epoch: a list every millisecond for 8,900 years.
const SERIAL_MAX = 2 ** 48;

/** The latest that this meta node knows of. */
interface Known {
  readonly tableEpoch: bigint;
  readonly membersEpoch: bigint;
  readonly nowMs: number;
}

/** The heartbeat without what nobody can have given; `refused` hears of that. */
export function believedHeartbeat(
  heartbeat: Heartbeat,
  known: Known,
  refused: (claim: Omit<RefusedClaim, "from">) => void,
): Heartbeat {
  const { newestVersion, ...rest } = heartbeat;
  let { tableEpoch, members } = rest;
  if (!isNear(tableEpoch, known.tableEpoch)) {
    refused({ what: "tableEpoch", version: tableEpoch });
    tableEpoch = 0n;
  }
  if (!isNear(members.epoch, known.membersEpoch) || members.serial > SERIAL_MAX) {
    refused({ what: "members", version: members.epoch });
    members = NO_MEMBERS;
  }
  const believed = { ...rest, tableEpoch, members };
  if (newestVersion === undefined) return believed;
  if (isCredible(newestVersion, known.nowMs)) return { ...believed, newestVersion };
  refused({ what: "newestVersion", version: newestVersion });
  return believed;
}

function isNear(epoch: MembersVersion["epoch"], known: bigint): boolean {
  return epoch >= 0n && epoch <= known + EPOCHS_AHEAD_MAX;
}
