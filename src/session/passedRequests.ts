// The leaders to which this session has passed requests of clients without connections. Only the leader that hears such
// a client, and the nodes that have copied it by then, know its words: when another one leads, the session reports that
// clients of the slot may have told an earlier leader something newer. The new leader then asks them (data/leases.ts).
// So the session keeps a number for each slot, and not the registrations of a large cluster.

import type { NodeId, ServiceKey } from "../model/ids.ts";
import { slotOwner } from "../model/slot.ts";
import type { DataLinks } from "./dataLinks.ts";

/** The leader that has answered requests of a slot, or has heard that an earlier one did. */
interface Passed {
  readonly leaderEpoch: bigint;
}

/** A report to a leader, which is under way. */
export interface ElsewhereReport {
  readonly slot: number;
  readonly leaderEpoch: bigint;
  readonly passed: Passed;
}

const EARLIER: bigint = -1n;

export class PassedRequests {
  readonly #links: Pick<DataLinks, "table" | "slotOf">;
  readonly #bySlot = new Map<number, Passed>();

  constructor(links: Pick<DataLinks, "table" | "slotOf">) {
    this.#links = links;
  }

  /** A leader has answered a request for a registration of this service. */
  answered(serviceKey: ServiceKey, from: NodeId): void {
    const { table } = this.#links;
    const slot = this.#links.slotOf(serviceKey);
    if (table === undefined || slot === undefined) return;
    const { leader, leaderEpoch } = slotOwner(table, slot);
    // A new object: reports that are under way do not cover it.
    if (leader !== from) this.#bySlot.set(slot, { leaderEpoch: EARLIER });
    else if (!this.#bySlot.has(slot)) this.#bySlot.set(slot, { leaderEpoch });
  }

  /** The reports that this node, as a leader, has not confirmed. */
  reportsTo(node: NodeId): ElsewhereReport[] {
    const reports: ElsewhereReport[] = [];
    for (const [slot, passed] of this.#bySlot) {
      const owner = this.#links.table?.slots[slot];
      if (owner?.leader !== node || passed.leaderEpoch >= owner.leaderEpoch) continue;
      reports.push({ slot, passed, leaderEpoch: owner.leaderEpoch });
    }
    return reports;
  }

  /** The leader has heard these. */
  heard(reports: readonly ElsewhereReport[]): void {
    for (const { slot, leaderEpoch, passed } of reports) {
      if (this.#bySlot.get(slot) === passed) this.#bySlot.set(slot, { leaderEpoch });
    }
  }
}
