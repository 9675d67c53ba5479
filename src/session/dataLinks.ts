// The session's links to the data nodes: the leader of each service, the changes that wait for each node, and the nodes
// that are reachable.

import { assert } from "../base/assert.ts";
import { Deadlines } from "../base/deadlines.ts";
import { type HistogramPort, NO_HISTOGRAM } from "../base/metrics.ts";
import { type PublishItem, type SessionToData, serviceKeyOf } from "../cluster/messages/sessionData.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import { leaderOf, type SlotTable, slotOf, slotOwner } from "../model/slot.ts";
import { Outbox } from "./outbox.ts";

// A table reaches all nodes within milliseconds of each other.
const MOVED_RETRY_MS = 50;
// The most slots that a node may refuse, one by one, before its next try.
const REFUSED_MAX = 16;

const NOTHING: readonly PublishItem[] = [];

/** Measures the two hops of a change from here to the leader of its slot, in seconds. */
export interface LinkHops {
  readonly sent: HistogramPort;
  readonly taken: HistogramPort;
}

const UNMEASURED: LinkHops = { sent: NO_HISTOGRAM, taken: NO_HISTOGRAM };

export class DataLinks {
  readonly #send: (to: NodeId, message: SessionToData) => void;
  readonly #outboxes = new Map<NodeId, Outbox>();
  readonly #reachable = new Set<NodeId>();
  // Nodes that do not know yet that they lead the slots of what they were sent, and the time of the next try.
  readonly #retries = new Deadlines<NodeId>();
  // The slots of which such a node has refused changes since its last try. Its table, or the session's, may be old for
  // as long as meta can't be reached. A node refuses a batch as a whole, so until the next try it gets changes of one
  // slot at a time: the slots that it leads do not wait for those that it does not lead.
  readonly #refused = new Map<NodeId, Set<number>>();
  // Nothing is published before this, to nodes that begin to lead meanwhile too. Infinity: nothing is held back.
  #resumeMs = Number.POSITIVE_INFINITY;
  // Changes from before the first slot table, when no node leads anything.
  readonly #unrouted = this.#newOutbox();
  readonly #hops: LinkHops;
  #batches = 0;
  #nowMs = 0;
  #table: SlotTable | undefined;

  constructor(send: (to: NodeId, message: SessionToData) => void, hops = UNMEASURED) {
    this.#send = send;
    this.#hops = hops;
  }

  /** The time of all that follows, until the next step. */
  beginStep(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  get tableEpoch(): bigint {
    return this.#table?.epoch ?? 0n;
  }

  get table(): SlotTable | undefined {
    return this.#table;
  }

  leader(serviceKey: ServiceKey): NodeId | undefined {
    return this.#table === undefined ? undefined : leaderOf(this.#table, serviceKey);
  }

  leaderOfSlot(slot: number): NodeId | undefined {
    return this.#table?.slots[slot]?.leader;
  }

  /** Sends to a node if it is reachable. */
  send(node: NodeId, message: SessionToData): void {
    this.#send(node, message);
  }

  isReachable(node: NodeId): boolean {
    return this.#reachable.has(node);
  }

  /** The data nodes that can be reached. */
  reachable(): Iterable<NodeId> {
    return this.#reachable;
  }

  /** The slots that `node` leads. */
  slotsOf(node: NodeId): number[] {
    return (this.#table?.slots ?? []).flatMap(({ leader }, slot) => (leader === node ? [slot] : []));
  }

  /** Nothing is waiting or under way to any node. */
  get isIdle(): boolean {
    return [...this.#outboxes.values(), this.#unrouted].every((outbox) => outbox.isEmpty);
  }

  /** Nodes with changes that could be sent and still wait: none between two steps. */
  *stuck(): Generator<NodeId> {
    for (const [node, { waiting, isBusy }] of this.#outboxes) {
      if (waiting > 0 && !isBusy && this.#reachable.has(node) && !this.#retries.has(node) && !this.isPaused) yield node;
    }
  }

  /** The number of changes that wait to be sent. */
  get waiting(): number {
    let { waiting } = this.#unrouted;
    for (const outbox of this.#outboxes.values()) waiting += outbox.waiting;
    return waiting;
  }

  /** Nothing is waiting or under way to this node. */
  isIdleTo(node: NodeId): boolean {
    return this.#outboxes.get(node)?.isEmpty ?? true;
  }

  /** The changes that are under way to this node. */
  underWayTo(node: NodeId): readonly PublishItem[] {
    return this.#outboxes.get(node)?.sent ?? NOTHING;
  }

  /** Follows a newer table: waiting changes go to the new leaders. Returns the slots that another leader serves now. */
  adopt(table: SlotTable): ReadonlySet<number> {
    const before = this.#table;
    assert(before === undefined || table.epoch >= before.epoch, "a slot table never goes back");
    this.#table = table;
    const waiting = [...this.#outboxes.values(), this.#unrouted].flatMap((outbox) => outbox.drain());
    const nodes = new Set(table.slots.map(({ leader }) => leader));
    for (const node of this.#outboxes.keys()) if (!nodes.has(node)) this.#outboxes.delete(node);
    for (const item of waiting) this.#outboxOf(this.leader(serviceKeyOf(item))).add(item);
    for (const node of nodes) this.#retries.delete(node);
    this.#refused.clear();
    this.pump();
    const hasMoved = ({ leaderEpoch }: { leaderEpoch: bigint }, slot: number) =>
      before === undefined || slotOwner(before, slot).leaderEpoch !== leaderEpoch;
    return new Set(table.slots.flatMap((owner, slot) => (hasMoved(owner, slot) ? [slot] : [])));
  }

  /** The slot of a service; undefined before the first table. */
  slotOf(serviceKey: ServiceKey): number | undefined {
    return this.#table === undefined ? undefined : slotOf(serviceKey, this.#table.slots.length);
  }

  nodeUp(node: NodeId): void {
    this.#reachable.add(node);
    this.#pump(node);
  }

  /** Changes under way to the node may be lost. */
  nodeDown(node: NodeId): void {
    this.#reachable.delete(node);
    this.#outboxes.get(node)?.putBack();
    this.#refused.delete(node);
  }

  publish(item: PublishItem): void {
    const leader = this.leader(serviceKeyOf(item));
    this.#outboxOf(leader).add(item);
    if (leader !== undefined && !this.#retries.has(leader)) this.#pump(leader);
  }

  /** Sends to the service's leader; false if it can't be reached: a later request will find it. */
  ask(serviceKey: ServiceKey, message: SessionToData): boolean {
    const leader = this.leader(serviceKey);
    if (leader === undefined || !this.#reachable.has(leader)) return false;
    this.#send(leader, message);
    return true;
  }

  /** The node has taken a batch; returns its items. */
  taken(node: NodeId, batch: number): readonly PublishItem[] {
    if (this.#refused.get(node)?.size === 0) this.#refused.delete(node);
    const outbox = this.#outboxes.get(node);
    const sentMs = outbox?.isUnderWay(batch) === true ? outbox.sentMs : undefined;
    if (sentMs !== undefined) this.#hops.taken.observe((this.#nowMs - sentMs) / 1000);
    const items = outbox?.taken(batch) ?? [];
    this.#pump(node);
    return items;
  }

  /**
   * The node does not lead all slots of what it was sent. The items go out again slot by slot, and those that it still
   * refuses with the next table, or soon: its table may be late.
   */
  moved(node: NodeId, batch: number, nowMs: number): void {
    const outbox = this.#outboxes.get(node);
    if (outbox?.isUnderWay(batch) !== true) return;
    const [slot, other] = new Set(outbox.refused().map((item) => this.slotOf(serviceKeyOf(item))));
    const refused = this.#refused.get(node) ?? new Set();
    this.#refused.set(node, refused);
    if (slot !== undefined && other === undefined) {
      if (refused.size === 0) this.#retries.set(node, nowMs + MOVED_RETRY_MS);
      refused.add(slot);
    }
    this.#pump(node);
  }

  /** Publishes nothing before `untilMs`, whichever nodes lead by then. */
  pause(untilMs: number): void {
    this.#resumeMs = untilMs;
  }

  get isPaused(): boolean {
    return this.#resumeMs !== Number.POSITIVE_INFINITY;
  }

  /** Drops a publication that still waits. */
  withdraw(publication: Publication): void {
    this.#outboxOf(this.leader(publication.serviceKey)).withdraw(publication);
  }

  nextMs(): number {
    return Math.min(this.#retries.nextMs(), this.#resumeMs);
  }

  /** Tries the due nodes again. */
  wake(nowMs: number): void {
    if (nowMs >= this.#resumeMs) {
      this.#resumeMs = Number.POSITIVE_INFINITY;
      this.pump();
    }
    for (let node = this.#retries.take(nowMs); node !== undefined; node = this.#retries.take(nowMs)) {
      this.#refused.delete(node);
      this.#pump(node);
    }
  }

  /** Sends everything that waits and can be sent. */
  pump(): void {
    for (const node of this.#outboxes.keys()) this.#pump(node);
  }

  #pump(node: NodeId): void {
    const refused = this.#refused.get(node);
    if (!this.#reachable.has(node) || this.isPaused || (refused?.size ?? 0) >= REFUSED_MAX) return;
    const batch = this.#outboxes.get(node)?.next(refused && this.#ofOneSlot(refused));
    if (batch === undefined) return;
    this.#hops.sent.observe(Math.max(0, batch.sentMs - batch.sinceMs) / 1000);
    this.#send(node, { kind: "publish", batch: batch.id, epoch: this.tableEpoch, items: batch.items });
  }

  /** Selects the changes of one slot, that of the first one which is not of a `refused` slot. */
  #ofOneSlot(refused: ReadonlySet<number>): (item: PublishItem) => boolean {
    let selected: number | undefined;
    return (item) => {
      const slot = this.slotOf(serviceKeyOf(item));
      if (slot !== undefined && !refused.has(slot)) selected ??= slot;
      return slot === selected;
    };
  }

  #outboxOf(leader: NodeId | undefined): Outbox {
    if (leader === undefined) return this.#unrouted;
    const known = this.#outboxes.get(leader);
    if (known !== undefined) return known;
    const outbox = this.#newOutbox();
    this.#outboxes.set(leader, outbox);
    return outbox;
  }

  #newOutbox(): Outbox {
    return new Outbox(
      () => ++this.#batches,
      () => this.#nowMs,
    );
  }
}
