// The session's ways to the data nodes: which of them leads which service, what still has to be sent to each, and which
// are reachable.

import { assert } from "../base/assert.ts";
import { dataInfoIdOf, type PublishItem, type SessionToData } from "../messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import { leaderOf, type SlotTable } from "../model/slot.ts";
import { Outbox } from "./outbox.ts";

export class DataLinks {
  readonly #send: (to: NodeId, message: SessionToData) => void;
  readonly #outboxes = new Map<NodeId, Outbox>();
  readonly #reachable = new Set<NodeId>();
  // Before the first slot table nobody leads anything.
  readonly #unrouted = new Outbox();
  #table: SlotTable | undefined;

  constructor(send: (to: NodeId, message: SessionToData) => void) {
    this.#send = send;
  }

  get tableEpoch(): bigint {
    return this.#table?.epoch ?? 0n;
  }

  get table(): SlotTable | undefined {
    return this.#table;
  }

  leader(dataInfoId: DataInfoId): NodeId | undefined {
    return this.#table === undefined ? undefined : leaderOf(this.#table, dataInfoId);
  }

  isReachable(node: NodeId): boolean {
    return this.#reachable.has(node);
  }

  /**
   * Follows a newer table: what waits goes to the new leaders. Returns how to tell whether a service's leader has
   * changed.
   */
  adopt(table: SlotTable): (dataInfoId: DataInfoId) => boolean {
    const before = this.#table;
    assert(before === undefined || table.epoch >= before.epoch, "a slot table never goes back");
    this.#table = table;
    const waiting = [...this.#outboxes.values(), this.#unrouted].flatMap((outbox) => outbox.drain());
    for (const item of waiting) this.#outboxOf(this.leader(dataInfoIdOf(item))).add(item);
    this.pump();
    return (dataInfoId) => before === undefined || leaderOf(before, dataInfoId) !== leaderOf(table, dataInfoId);
  }

  nodeUp(node: NodeId): void {
    this.#reachable.add(node);
    this.#pump(node);
  }

  /** What was under way to the node may be lost. */
  nodeDown(node: NodeId): void {
    this.#reachable.delete(node);
    this.#outboxes.get(node)?.putBack();
  }

  publish(item: PublishItem): void {
    const leader = this.leader(dataInfoIdOf(item));
    this.#outboxOf(leader).add(item);
    if (leader !== undefined) this.#pump(leader);
  }

  /** Sends to the service's leader; false if it can't be reached, and whoever asks again later will find it. */
  ask(dataInfoId: DataInfoId, message: SessionToData): boolean {
    const leader = this.leader(dataInfoId);
    if (leader === undefined || !this.#reachable.has(leader)) return false;
    this.#send(leader, message);
    return true;
  }

  taken(node: NodeId, batch: number): void {
    this.#outboxes.get(node)?.taken(batch);
    this.#pump(node);
  }

  /** The node does not lead what it was sent. It goes out again with the next table, or at the next `pump`. */
  moved(node: NodeId, batch: number): void {
    const outbox = this.#outboxes.get(node);
    if (outbox?.isUnderWay(batch)) outbox.putBack();
  }

  /** Sends whatever waits and can be sent. */
  pump(): void {
    for (const node of this.#outboxes.keys()) this.#pump(node);
  }

  #pump(node: NodeId): void {
    if (!this.#reachable.has(node)) return;
    const batch = this.#outboxes.get(node)?.next();
    if (batch === undefined) return;
    this.#send(node, { kind: "publish", batch: batch.id, epoch: this.tableEpoch, items: batch.items });
  }

  #outboxOf(leader: NodeId | undefined): Outbox {
    if (leader === undefined) return this.#unrouted;
    const known = this.#outboxes.get(leader);
    if (known !== undefined) return known;
    const outbox = new Outbox();
    this.#outboxes.set(leader, outbox);
    return outbox;
  }
}
