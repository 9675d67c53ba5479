// The leader's side of replication: a follower reports its versions, gets the differences, and then hears every change
// in the leader's order. The leader does not wait for it: the sessions still know anything that a follower missed.

import type { FollowerToLeader, ReplicaDatum } from "../cluster/messages/replication.ts";
import type { PublishItem } from "../cluster/messages/sessionData.ts";
import type { NodeId } from "../model/ids.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { RestartHold } from "./restartHold.ts";
import type { Slots } from "./slots.ts";

// A part of a replica is closed at this many publications or bytes, usually some megabytes.
const REPLICA_PUBLICATIONS_MAX = 5_000;
const REPLICA_BYTES_MAX = 4 * 1024 * 1024;

interface Parts {
  readonly slots: Pick<Slots, "led">;
  readonly hold: Pick<RestartHold, "of" | "expected">;
}

export class Followers {
  readonly #parts: Parts;
  readonly #output: Pick<DataOutput, "toFollower">;

  constructor(parts: Parts, output: Pick<DataOutput, "toFollower">) {
    this.#parts = parts;
    this.#output = output;
  }

  /** The link to a follower is gone; it asks again when there is a new one. */
  down(node: NodeId): void {
    for (const slot of this.#parts.slots.led()) slot.followers.delete(node);
  }

  /** Sends a follower what it lacks of the slot, in parts; it hears every change from now on. */
  copy(led: LedSlot, to: NodeId, { kept }: Pick<FollowerToLeader, "kept">, nowMs: number): void {
    const { slot } = led.contents;
    const { datums, gone } = led.contents.differenceTo(kept);
    const parts = inParts(datums);
    for (const [at, part] of parts.entries()) {
      const isLast = at === parts.length - 1;
      this.#output.toFollower(to, {
        kind: "replica",
        slot,
        leaderEpoch: led.leaderEpoch,
        datums: part,
        gone: at === 0 ? gone : [],
        isLast,
        ...(isLast && { hold: this.#parts.hold.of(slot, nowMs) }),
      });
    }
    led.followers.add(to);
  }

  /** The followers hear the items that their leader has just taken. */
  changed(led: LedSlot, datum: Datum, items: readonly PublishItem[]): void {
    for (const follower of led.followers) {
      this.#output.toFollower(follower, {
        ...datum.version,
        kind: "change",
        slot: datum.slot,
        leaderEpoch: led.leaderEpoch,
        serviceKey: datum.serviceKey,
        items,
        expected: this.#parts.hold.expected(datum),
        ...(datum.hidden > 0 && { hidden: datum.hidden }),
      });
    }
  }
}

/** At least one part, so that a follower that lacks nothing hears that too. */
function inParts(datums: readonly ReplicaDatum[]): ReplicaDatum[][] {
  const parts: ReplicaDatum[][] = [[]];
  let publications = 0;
  let bytes = 0;
  for (const datum of datums) {
    if (publications >= REPLICA_PUBLICATIONS_MAX || bytes >= REPLICA_BYTES_MAX) {
      parts.push([]);
      publications = 0;
      bytes = 0;
    }
    parts.at(-1)?.push(datum);
    publications += 1 + datum.publications.length + datum.tombstones.length;
    bytes += datum.publications.reduce((sum, { payload }) => sum + payload.length, 0);
  }
  return parts;
}
