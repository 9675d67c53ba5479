// The session as the source of truth for its clients: it compares their publications with the data nodes, slot by slot,
// and sends the nodes what they lack.

import { Deadlines } from "../base/deadlines.ts";
import {
  type DataToSession,
  INVENTORY_ENTRIES_MAX,
  type PublishItem,
  type Superseded,
  type Unlisted,
} from "../cluster/messages/sessionData.ts";
import type { NodeId } from "../model/ids.ts";
import { registrationKey } from "./client.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { Publications } from "./publications.ts";

type Wanted = Extract<DataToSession, { kind: "wanted" }>;

// The most unlisted registrations that try again with each comparison, the longest-waiting first.
const RETRIES = 100;
// A node that is busy with changes is compared later, but not endlessly.
const BUSY_RETRY_MS = 1_000;
const POSTPONED_MAX = 10;

export class DataRepair {
  readonly #publications: Publications;
  readonly #links: DataLinks;
  readonly #options: { readonly digestIntervalMs: number };
  // The time of each data node's next comparison.
  readonly #times = new Deadlines<NodeId>();
  readonly #postponed = new Map<NodeId, number>();
  // Slots that were compared, or are to be when their leader can be reached, and have not agreed since.
  readonly #unconfirmed = new Set<number>();

  constructor(publications: Publications, links: DataLinks, options: { readonly digestIntervalMs: number }) {
    this.#publications = publications;
    this.#links = links;
    this.#options = options;
  }

  /** The node can be reached: it is compared now, and again and again. */
  begin(node: NodeId, nowMs: number): void {
    this.compare(node);
    this.#times.set(node, nowMs + this.#options.digestIntervalMs);
  }

  /** The node can't be reached any more. */
  end(node: NodeId): void {
    this.#times.delete(node);
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    return this.#times.nextMs();
  }

  wake(nowMs: number): void {
    for (let node = this.#times.take(nowMs); node !== undefined; node = this.#times.take(nowMs)) {
      this.#times.set(node, nowMs + (this.compareIfQuiet(node) ? this.#options.digestIntervalMs : BUSY_RETRY_MS));
    }
  }

  /** Compares all slots that the node leads. */
  compare(node: NodeId): void {
    this.#postponed.delete(node);
    this.#compareSlots(node, this.#links.slotsOf(node));
    const retries = this.#publications.retries((serviceKey) => this.#links.leader(serviceKey) === node, RETRIES);
    for (const publication of retries) this.#links.publish({ kind: "put", publication });
  }

  /**
   * As `compare`, unless changes are on their way to the node, which would look like differences. False: it was
   * postponed.
   */
  compareIfQuiet(node: NodeId): boolean {
    const postponed = this.#postponed.get(node) ?? 0;
    if (!this.#links.isIdleTo(node) && postponed < POSTPONED_MAX) {
      this.#postponed.set(node, postponed + 1);
      return false;
    }
    this.compare(node);
    return true;
  }

  /** Whether each leader of a slot in which something is held can be reached, and has confirmed that it has it. */
  get isConfirmed(): boolean {
    const slots = this.#links.table?.slots ?? [];
    return slots.every(({ leader }, slot) => {
      if (this.#publications.digestOf(slot).count === 0) return true;
      return this.#links.isReachable(leader) && !this.#unconfirmed.has(slot);
    });
  }

  /** Their leader has everything that is held here in these slots. */
  confirmed(slots: readonly number[]): void {
    for (const slot of slots) this.#unconfirmed.delete(slot);
  }

  /** These slots have a new leader, which shows them to no session before it has heard what is held here. */
  moved(slots: ReadonlySet<number>): void {
    const byNode = new Map<NodeId, number[]>();
    for (const slot of slots) {
      this.#unconfirmed.add(slot);
      const node = this.#links.leaderOfSlot(slot);
      if (node === undefined) continue;
      const ofNode = byNode.get(node) ?? [];
      byNode.set(node, ofNode);
      ofNode.push(slot);
    }
    for (const [node, ofNode] of byNode) this.#compareSlots(node, ofNode);
  }

  /** The node has something else in these slots. */
  differs(node: NodeId, slots: readonly number[]): void {
    for (const slot of slots) this.#sendInventory(node, slot);
  }

  wanted({ keys, superseded }: Wanted): void {
    for (const [serviceKey, registId] of keys) {
      const publication = this.#publications.get({ serviceKey, registId });
      if (publication !== undefined) this.#links.publish({ kind: "put", publication });
    }
    this.#superseded(superseded);
  }

  /** A data node has taken these, except those that had already lost and those without room. */
  taken(
    items: readonly PublishItem[],
    { superseded, unlisted }: { superseded: readonly Superseded[]; unlisted: readonly Unlisted[] },
  ): void {
    this.#superseded(superseded.filter(({ holder }) => holder === undefined));
    const elsewhere = superseded.filter(({ holder }) => holder !== undefined);
    const refused = new Set(superseded.map(registrationKey));
    for (const item of items) {
      const isTaken = item.kind === "put" && (refused.size === 0 || !refused.has(registrationKey(item.publication)));
      if (isTaken) this.#publications.taken(item.publication);
    }
    for (const one of elsewhere) this.#publications.heldElsewhere(one);
    for (const one of unlisted) this.#publications.turnedDown(one);
  }

  /**
   * Registrations that lost; those that lost only by the clock are published again with a later time. Where the winner
   * is a removal, the data node waits for an answer before it shows the service. It may name a state that has got a
   * later time since, with which another session's client held it then: the answer is the present state.
   */
  #superseded(all: readonly Superseded[]): void {
    for (const one of all) {
      const publication = this.#publications.superseded(one);
      const { serviceKey, registId, stamp } = one;
      const newest = publication ?? (one.isRemoved ? this.#publications.newerThan(one) : undefined);
      if (newest !== undefined) this.#links.publish({ kind: "put", publication: newest });
      else if (one.isRemoved) {
        this.#links.publish({ kind: "remove", removal: { serviceKey, registId, cause: "left", stamp } });
      }
    }
  }

  #compareSlots(node: NodeId, slots: readonly number[]): void {
    if (!this.#links.isReachable(node) || slots.length === 0) return;
    for (const slot of slots) this.#unconfirmed.add(slot);
    const digests = slots.map((slot) => this.#publications.digestOf(slot));
    this.#links.send(node, { kind: "digests", epoch: this.#links.tableEpoch, slots: digests });
  }

  #sendInventory(node: NodeId, slot: number): void {
    if (this.#links.leaderOfSlot(slot) !== node || !this.#links.isReachable(node)) return;
    // The node reads a batch under way before the inventory, and drops whatever it has taken and is not named there.
    const underWay = this.#links.underWayTo(node);
    const sent = new Set(underWay.flatMap((item) => (item.kind === "put" ? [item.publication] : [])));
    const entries = this.#publications.inventoryOf(slot, sent);
    const { tableEpoch: epoch } = this.#links;
    let at = 0;
    do {
      const part = entries.slice(at, at + INVENTORY_ENTRIES_MAX);
      at += INVENTORY_ENTRIES_MAX;
      const isFirst = at === INVENTORY_ENTRIES_MAX;
      this.#links.send(node, { kind: "inventory", epoch, slot, entries: part, isFirst, isLast: at >= entries.length });
    } while (at < entries.length);
  }
}
