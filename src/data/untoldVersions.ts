// Versions that this node gave as a leader and that no other node may know. A node that is cut off continues for the
// sessions that reach it, while meta gives its slots to others; when it hears of that, it drops their contents. The
// next leader of these slots must continue above every version that clients saw here, so the node keeps the versions
// alone, and reports them when it follows the slot again. There are never more than services that it has held.

import type { KeptVersion } from "../cluster/messages/replication.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { SlotContents } from "./slotContents.ts";

export class UntoldVersions {
  readonly #slots = new Map<number, Map<ServiceKey, bigint>>();

  /** The contents are about to be dropped, and no other leader has heard of their versions. */
  keep({ slot, datums }: SlotContents): void {
    if (datums.size === 0) return;
    const versions = this.#slots.get(slot) ?? new Map<ServiceKey, bigint>();
    this.#slots.set(slot, versions);
    for (const [serviceKey, { version: given }] of datums) {
      const known = versions.get(serviceKey);
      if (known === undefined || given.version > known) versions.set(serviceKey, given.version);
    }
  }

  /** The node's report to a leader. The versions match nothing that a leader has, for their contents are gone. */
  of(slot: number): KeptVersion[] {
    const nothing = { origin: 0n, count: 0, digest: 0n };
    return Array.from(this.#slots.get(slot) ?? [], ([serviceKey, version]) => ({ serviceKey, version, ...nothing }));
  }

  /** A leader has heard them, and continued above them. */
  told(slot: number): void {
    this.#slots.delete(slot);
  }
}
