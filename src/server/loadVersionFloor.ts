// The versions of the node's last life, above which the next ones lie whatever the clock shows: clients have seen them.
//
// If the clock was days ahead and has been set back, the node continues above its earlier versions; the rest of the
// cluster does not follow it there, and takes no copies from it, until the time has come. A floor that no clock shows
// in thousands of years is damaged, or was sent to the node port of a release that believed everything: above it there
// is no room for versions, so the node does not start.

import { fail } from "../base/errors.ts";
import type { Clock, Log } from "../base/ports.ts";
import type { NodeStore } from "../data/nodeStore.ts";
import { isCredible, VERSION_FLOOR_MAX } from "../model/version.ts";

/** Throws VERSION_FLOOR_INVALID. */
export function loadVersionFloor(
  store: Pick<NodeStore, "loadVersionFloor">,
  { log, clock }: { log: Log; clock: Clock },
): bigint {
  const floor = store.loadVersionFloor();
  if (floor < 0n || floor > VERSION_FLOOR_MAX) throw fail("VERSION_FLOOR_INVALID", { floor: String(floor) });
  if (!isCredible(floor, clock.nowMs())) {
    log.error(
      "the versions on this node's disk are more than a day ahead of its clock: correct the clock, or wait until it catches up",
      {
        floor: String(floor),
      },
    );
  }
  return floor;
}
