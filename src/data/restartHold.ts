// After a restart a data node knows nothing until the clients are back, and they come back one by one, over seconds. A
// list pushed in between would be empty or short although every provider is fine. So the node keeps the size of each
// service on its disk, and holds a service back until that many publishers have returned, or until the time in which a
// living client returns is over.
//
// A copy of such a slot is short too. So a leader tells its followers what it holds back, and for how long still; one
// that leads next goes on where the leader ended, also if its own disk knew nothing of the slot.

import type { SlotHold } from "../cluster/messages/replication.ts";
import type { DataInfoId } from "../model/ids.ts";

/** A service as far as the hold is concerned. */
interface Service {
  readonly dataInfoId: DataInfoId;
  readonly slot: number;
  /** Publishers that it has now. */
  readonly size: number;
}

interface HeldSlot {
  readonly untilMs: number;
  /** How many publishers each service had that is still held. */
  readonly expected: Map<DataInfoId, number>;
}

const NOTHING: readonly DataInfoId[] = [];

/** Which services are held back since a restart, and until when. */
export class RestartHold {
  readonly #holdMs: number;
  /** What the disk knows, until there is a slot table. */
  #known: ReadonlyMap<DataInfoId, number> | undefined;
  readonly #held = new Map<number, HeldSlot>();
  #untilMs = Number.POSITIVE_INFINITY;

  /** `sizes`: publishers of each service before the restart. */
  constructor(sizes: ReadonlyMap<DataInfoId, number>, holdMs: number) {
    this.#known = sizes;
    this.#holdMs = holdMs;
  }

  /** There is a slot table. With the first one the time begins: before that no client's registration can get here. */
  begin(slotOf: (dataInfoId: DataInfoId) => number | undefined, nowMs: number): void {
    const untilMs = nowMs + this.#holdMs;
    for (const [dataInfoId, size] of this.#known ?? []) {
      const slot = slotOf(dataInfoId);
      if (slot === undefined) continue;
      const ofSlot = this.#held.get(slot) ?? { untilMs, expected: new Map<DataInfoId, number>() };
      this.#held.set(slot, ofSlot);
      ofSlot.expected.set(dataInfoId, size);
    }
    if (this.#held.size > 0) this.#untilMs = Math.min(this.#untilMs, untilMs);
    this.#known = undefined;
  }

  /** How many services of this slot are held. */
  heldIn(slot: number): number {
    return this.#held.get(slot)?.expected.size ?? 0;
  }

  /** When what is still held must be released, or a part of it; Infinity if nothing is held. */
  get untilMs(): number {
    return this.#untilMs;
  }

  holds(service: Omit<Service, "size">): boolean {
    return this.expected(service) > 0;
  }

  /** How many publishers the service must have to be shown before the time is over; 0 if it is not held. */
  expected({ slot, dataInfoId }: Omit<Service, "size">): number {
    return this.#held.get(slot)?.expected.get(dataInfoId) ?? 0;
  }

  /** Whether the service may be shown as it is; from then on it is no longer held. */
  releases(service: Service): boolean {
    if (service.size < this.expected(service)) return false;
    this.#set(service, 0);
    return true;
  }

  /** A publisher that had returned has unpublished: the service will not have so many again. */
  unpublished(service: Service): void {
    this.#set(service, this.expected(service) - 1);
  }

  /** What a follower of this slot is told. */
  of(slot: number, nowMs: number): SlotHold {
    const held = this.#held.get(slot);
    if (held === undefined) return { remainingMs: 0, expected: [] };
    return { remainingMs: Math.max(0, Math.ceil(held.untilMs - nowMs)), expected: [...held.expected] };
  }

  /**
   * The slot's leader has said what it holds back: that counts, and not what this disk knew. Returns those that were
   * held here and are not any more.
   */
  follow(slot: number, { remainingMs, expected }: SlotHold, nowMs: number): Iterable<DataInfoId> {
    const before = this.#held.get(slot)?.expected.keys() ?? NOTHING;
    const next = new Map(expected.filter(([, size]) => size > 0));
    this.#held.delete(slot);
    // Nobody has to be waited for longer than this node would do by itself, whatever a leader says.
    const untilMs = nowMs + Math.min(remainingMs, this.#holdMs);
    if (next.size > 0) this.#held.set(slot, { untilMs, expected: next });
    this.#planEnd();
    return [...before].filter((dataInfoId) => !next.has(dataInfoId));
  }

  /** The slot's leader expects so many publishers of this service now. It begins to hold nothing that it did not. */
  followChange(service: Omit<Service, "size">, expected: number): void {
    if (this.holds(service)) this.#set(service, expected);
  }

  /** Ends what has been held for long enough: what was still held, by slot. */
  end(nowMs: number): (readonly [slot: number, held: Iterable<DataInfoId>])[] {
    const over = [...this.#held].filter(([, { untilMs }]) => nowMs >= untilMs);
    for (const [slot] of over) this.#held.delete(slot);
    this.#planEnd();
    return over.map(([slot, { expected }]) => [slot, expected.keys()]);
  }

  #set({ slot, dataInfoId }: Omit<Service, "size">, expected: number): void {
    const held = this.#held.get(slot);
    if (held === undefined || !held.expected.has(dataInfoId)) return;
    if (expected > 0) held.expected.set(dataInfoId, expected);
    else held.expected.delete(dataInfoId);
    if (held.expected.size > 0) return;
    this.#held.delete(slot);
    this.#planEnd();
  }

  #planEnd(): void {
    this.#untilMs = Number.POSITIVE_INFINITY;
    for (const { untilMs } of this.#held.values()) this.#untilMs = Math.min(this.#untilMs, untilMs);
  }
}
