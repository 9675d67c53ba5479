// The store under meta, in memory and on virtual time: fenced by the lease as it should be; it may be away, and its
// answers may be lost.

import type { ConfigValue } from "../../cluster/messages/membership.ts";
import type { NodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { LeaderLease, MetaState } from "../metaStore.ts";

/** The fate of a statement: without an answer it has failed, with an unknown outcome. */
export type Fault = "none" | "away" | "answer is lost";

export class FakeStore {
  state: MetaState = { cluster: undefined, slotTable: undefined, configs: new Map(), blockedNodes: new Set() };
  fault: Fault = "none";
  /** Every table that was written, in order, with its lease. */
  readonly tables: { readonly table: SlotTable; readonly leaseEpoch: bigint }[] = [];
  #lease: { epoch: bigint; holder: NodeId; endMs: number } | undefined;

  acquireLease(holder: NodeId, leaseMs: number, nowMs: number): LeaderLease {
    const held = this.#lease;
    const isStanding = held !== undefined && held.endMs > nowMs;
    if (!isStanding || held.holder === holder) {
      const epoch = isStanding ? held.epoch : (held?.epoch ?? 0n) + 1n;
      this.#lease = { epoch, holder, endMs: nowMs + leaseMs };
    }
    const { epoch, holder: now, endMs } = this.#lease as { epoch: bigint; holder: NodeId; endMs: number };
    return { epoch, holder: now, address: `${now}:9611`, remainingMs: endMs - nowMs };
  }

  /** The lease in force lasts longer than its holder knows. */
  extendLease(byMs: number): void {
    if (this.#lease !== undefined) this.#lease.endMs += byMs;
  }

  releaseLease(epoch: bigint): void {
    if (this.#lease?.epoch === epoch) this.#lease.endMs = 0;
  }

  saveSlotTable(
    table: SlotTable,
    expected: { tableEpoch: bigint | undefined; leaseEpoch: bigint },
    nowMs: number,
  ): boolean {
    if (!this.#isInForce(expected.leaseEpoch, nowMs)) return false;
    if (this.state.slotTable?.epoch !== expected.tableEpoch) return false;
    this.state = { ...this.state, slotTable: table };
    this.tables.push({ table, leaseEpoch: expected.leaseEpoch });
    return true;
  }

  saveConfig(value: ConfigValue, leaseEpoch: bigint, nowMs: number): boolean {
    const stored = this.state.configs.get(value.serviceKey);
    if (!this.#isInForce(leaseEpoch, nowMs) || (stored !== undefined && stored.version >= value.version)) return false;
    this.state = { ...this.state, configs: new Map(this.state.configs).set(value.serviceKey, value) };
    return true;
  }

  saveNodeBlocked(block: { node: string; isBlocked: boolean }, leaseEpoch: bigint, nowMs: number): boolean {
    if (!this.#isInForce(leaseEpoch, nowMs)) return false;
    const blockedNodes = new Set(this.state.blockedNodes);
    if (block.isBlocked) blockedNodes.add(block.node);
    else blockedNodes.delete(block.node);
    this.state = { ...this.state, blockedNodes };
    return true;
  }

  #isInForce(epoch: bigint, nowMs: number): boolean {
    return this.#lease?.epoch === epoch && this.#lease.endMs > nowMs;
  }
}
