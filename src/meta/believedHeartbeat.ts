// The leading meta node believes the numbers in a member's heartbeat: it tells all data nodes to continue above the
// highest version, and makes its next table and its next list later than the latest of them. An absurdly high number
// would then reach every node and the store, and close to the highest possible number nothing is later. So such a
// number is left out on arrival; the rest of the heartbeat counts.

import { type Heartbeat, type MembersVersion, NO_MEMBERS } from "../cluster/messages/membership.ts";
import { isCredible, NO_VERSION } from "../model/version.ts";
import type { RefusedClaim } from "./metaPorts.ts";

// A table or a list every millisecond for seven weeks. A store that was set back to last year's copy lacks less.
const EPOCHS_AHEAD_MAX = 1n << 32n;
// Of one epoch: a list every millisecond for 8,900 years.
const SERIAL_MAX = 2 ** 48;

/** The latest numbers that this meta node knows. */
interface Known {
  readonly tableEpoch: bigint;
  readonly membersEpoch: bigint;
  readonly nowMs: number;
}

/** The heartbeat without impossible numbers; each of those is passed to `refused`. */
export function believedHeartbeat(
  heartbeat: Heartbeat,
  known: Known,
  refused: (claim: Omit<RefusedClaim, "from">) => void,
): Heartbeat {
  const { newestVersion, rulesEpoch, ...rest } = heartbeat;
  let { tableEpoch, members } = rest;
  if (!isNear(tableEpoch, known.tableEpoch)) {
    refused({ what: "tableEpoch", version: tableEpoch });
    tableEpoch = 0n;
  }
  if (!isNear(members.epoch, known.membersEpoch) || members.serial > SERIAL_MAX) {
    refused({ what: "members", version: members.epoch });
    members = NO_MEMBERS;
  }
  const isBelieved = (what: "newestVersion" | "rulesEpoch", version: bigint) => {
    if (isCredible(version, known.nowMs)) return true;
    refused({ what, version });
    return false;
  };
  return {
    ...rest,
    tableEpoch,
    members,
    ...(newestVersion !== undefined && isBelieved("newestVersion", newestVersion) && { newestVersion }),
    ...(rulesEpoch !== undefined && {
      rulesEpoch: isBelieved("rulesEpoch", rulesEpoch) ? rulesEpoch : NO_VERSION,
    }),
  };
}

function isNear(epoch: MembersVersion["epoch"], known: bigint): boolean {
  return epoch >= 0n && epoch <= known + EPOCHS_AHEAD_MAX;
}
