// Versions that this node gave as a leader and that nobody else may know of. A node that is cut off goes on for those
// who reach it, while meta gives its slots to others; when it hears of that, what it held is dropped. Whoever leads
// these slots next must go on above what clients were told here, so the node remembers the versions alone, and says
// them when it follows the slot again. There are never more than services that it has held.

import type { HeldVersion } from "../cluster/messages/replication.ts";
import type { DataInfoId } from "../model/ids.ts";
import type { SlotContents } from "./slotContents.ts";

export class UntoldVersions {
  readonly #slots = new Map<number, Map<DataInfoId, bigint>>();

  /** The contents are about to be dropped, and no other leader has heard of their versions. */
  keep({ slot, datums }: SlotContents): void {
    if (datums.size === 0) return;
    const versions = this.#slots.get(slot) ?? new Map<DataInfoId, bigint>();
    this.#slots.set(slot, versions);
    for (const [dataInfoId, { version: given }] of datums) {
      const known = versions.get(dataInfoId);
      if (known === undefined || given.version > known) versions.set(dataInfoId, given.version);
    }
  }

  /** As the node tells them to a leader. They are like nothing that a leader has, for what they named is gone. */
  of(slot: number): HeldVersion[] {
    const nothing = { origin: 0n, count: 0, digest: 0n };
    return Array.from(this.#slots.get(slot) ?? [], ([dataInfoId, version]) => ({ dataInfoId, version, ...nothing }));
  }

  /** A leader has heard them, and gone on above them. */
  told(slot: number): void {
    this.#slots.delete(slot);
  }
}
