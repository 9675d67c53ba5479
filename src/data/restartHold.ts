// After a restart a data node knows nothing until the clients are back, and they come back one by one, over seconds. A
// list pushed in between would be empty or short although every provider is fine. So the node keeps the size of each
// service on its disk, and holds a service until that many publishers have returned, or until the time in which a
// living client returns is over.
//
// A copy of such a slot is short too. So a leader tells its followers which services it holds, and for how much longer;
// the next leader continues where it ended, even if its own disk knew nothing of the slot.

import type { SlotHold } from "../cluster/messages/replication.ts";
import type { ServiceKey } from "../model/ids.ts";

/** A service as far as the hold is concerned. */
interface Service {
  readonly serviceKey: ServiceKey;
  readonly slot: number;
  /** The present number of publishers. */
  readonly size: number;
}

interface HeldSlot {
  readonly untilMs: number;
  /** The earlier number of publishers of each service that is still held. */
  readonly expected: Map<ServiceKey, number>;
}

const NOTHING: readonly ServiceKey[] = [];

/** The services held since a restart, and the end of the hold. */
export class RestartHold {
  readonly #holdMs: number;
  /** The sizes from the disk, until there is a slot table. */
  #known: ReadonlyMap<ServiceKey, number> | undefined;
  readonly #held = new Map<number, HeldSlot>();
  #untilMs = Number.POSITIVE_INFINITY;

  /** `sizes`: the number of publishers of each service before the restart. */
  constructor(sizes: ReadonlyMap<ServiceKey, number>, holdMs: number) {
    this.#known = sizes;
    this.#holdMs = holdMs;
  }

  /** There is a slot table. The time begins with the first one: before that no client's registration can get here. */
  begin(slotOf: (serviceKey: ServiceKey) => number | undefined, nowMs: number): void {
    const untilMs = nowMs + this.#holdMs;
    for (const [serviceKey, size] of this.#known ?? []) {
      const slot = slotOf(serviceKey);
      if (slot === undefined) continue;
      const ofSlot = this.#held.get(slot) ?? { untilMs, expected: new Map<ServiceKey, number>() };
      this.#held.set(slot, ofSlot);
      ofSlot.expected.set(serviceKey, size);
    }
    if (this.#held.size > 0) this.#untilMs = Math.min(this.#untilMs, untilMs);
    this.#known = undefined;
  }

  /** The number of held services in this slot. */
  heldIn(slot: number): number {
    return this.#held.get(slot)?.expected.size ?? 0;
  }

  /** The held services of this slot. */
  heldServices(slot: number): Iterable<ServiceKey> {
    return this.#held.get(slot)?.expected.keys() ?? NOTHING;
  }

  /** The time at which the held services, or a part of them, must be released; Infinity if nothing is held. */
  get untilMs(): number {
    return this.#untilMs;
  }

  holds(service: Omit<Service, "size">): boolean {
    return this.expected(service) > 0;
  }

  /** The number of publishers that the service needs to be shown before the time is over; 0 if it is not held. */
  expected({ slot, serviceKey }: Omit<Service, "size">): number {
    return this.#held.get(slot)?.expected.get(serviceKey) ?? 0;
  }

  /** Whether the service may be shown as it is; from then on it is no longer held. */
  releaseIfWhole(service: Service): boolean {
    if (service.size < this.expected(service)) return false;
    this.#set(service, 0);
    return true;
  }

  /** A publisher that had returned has unpublished: the service will not reach its earlier number. */
  unpublished(service: Service): void {
    this.#set(service, this.expected(service) - 1);
  }

  /** The hold as told to a follower of this slot. */
  of(slot: number, nowMs: number): SlotHold {
    const held = this.#held.get(slot);
    if (held === undefined) return { remainingMs: 0, expected: [] };
    return { remainingMs: Math.max(0, Math.ceil(held.untilMs - nowMs)), expected: [...held.expected] };
  }

  /**
   * The slot's leader has reported its holds: those count, and not this disk's. Returns services that were held here
   * and no longer are.
   */
  follow(slot: number, { remainingMs, expected }: SlotHold, nowMs: number): Iterable<ServiceKey> {
    const before = this.#held.get(slot)?.expected.keys() ?? NOTHING;
    const next = new Map(expected.filter(([, size]) => size > 0));
    this.#held.delete(slot);
    // No service is held longer than this node would hold it by itself, whatever a leader reports.
    const untilMs = nowMs + Math.min(remainingMs, this.#holdMs);
    if (next.size > 0) this.#held.set(slot, { untilMs, expected: next });
    this.#planEnd();
    return [...before].filter((serviceKey) => !next.has(serviceKey));
  }

  /**
   * The slot's leader now expects this many publishers of the service. A service that is not held does not become held.
   */
  followChange(service: Omit<Service, "size">, expected: number): void {
    if (this.holds(service)) this.#set(service, expected);
  }

  /** Ends holds that have lasted long enough: returns the services still held, by slot. */
  end(nowMs: number): (readonly [slot: number, held: Iterable<ServiceKey>])[] {
    const over = [...this.#held].filter(([, { untilMs }]) => nowMs >= untilMs);
    for (const [slot] of over) this.#held.delete(slot);
    this.#planEnd();
    return over.map(([slot, { expected }]) => [slot, expected.keys()]);
  }

  #set({ slot, serviceKey }: Omit<Service, "size">, expected: number): void {
    const held = this.#held.get(slot);
    if (held === undefined || !held.expected.has(serviceKey)) return;
    if (expected > 0) held.expected.set(serviceKey, expected);
    else held.expected.delete(serviceKey);
    if (held.expected.size > 0) return;
    this.#held.delete(slot);
    this.#planEnd();
  }

  #planEnd(): void {
    this.#untilMs = Number.POSITIVE_INFINITY;
    for (const { untilMs } of this.#held.values()) this.#untilMs = Math.min(this.#untilMs, untilMs);
  }
}
