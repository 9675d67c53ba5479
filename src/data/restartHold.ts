// After a restart a data node knows nothing until the clients are back, and they come back one by one, over seconds. A
// list pushed in between would be empty or short although every provider is fine. So the node keeps the size of each
// service on its disk, and holds a service back until that many publishers have returned, or until the time in which a
// living client returns is over.

import type { DataInfoId } from "../model/ids.ts";

/** A service as far as the hold is concerned. */
interface Service {
  readonly dataInfoId: DataInfoId;
  readonly slot: number;
  /** Publishers that it has now. */
  readonly size: number;
}

/** Which services are held back since a restart, and until when. */
export class RestartHold {
  readonly #holdMs: number;
  /** What the disk knows, until there is a slot table. */
  #known: ReadonlyMap<DataInfoId, number> | undefined;
  /** By slot, how many publishers each service had that is still held. */
  readonly #expected = new Map<number, Map<DataInfoId, number>>();
  #untilMs = Number.POSITIVE_INFINITY;

  /** `sizes`: publishers of each service before the restart. */
  constructor(sizes: ReadonlyMap<DataInfoId, number>, holdMs: number) {
    this.#known = sizes;
    this.#holdMs = holdMs;
  }

  /** There is a slot table. With the first one the time begins: before that no client's registration can get here. */
  begin(slotOf: (dataInfoId: DataInfoId) => number | undefined, nowMs: number): void {
    for (const [dataInfoId, size] of this.#known ?? []) {
      const slot = slotOf(dataInfoId);
      if (slot === undefined) continue;
      const ofSlot = this.#expected.get(slot) ?? new Map<DataInfoId, number>();
      this.#expected.set(slot, ofSlot.set(dataInfoId, size));
    }
    if (this.#known !== undefined) this.#untilMs = nowMs + this.#holdMs;
    this.#known = undefined;
  }

  /** How many services of this slot are held. */
  heldIn(slot: number): number {
    return this.#expected.get(slot)?.size ?? 0;
  }

  /** When what is still held must be released; Infinity if nothing is held. */
  get untilMs(): number {
    return this.#expected.size === 0 ? Number.POSITIVE_INFINITY : this.#untilMs;
  }

  holds({ slot, dataInfoId }: Service): boolean {
    return this.#expected.get(slot)?.has(dataInfoId) === true;
  }

  /** Whether the service may be shown as it is; from then on it is no longer held. */
  releases({ slot, dataInfoId, size }: Service): boolean {
    const ofSlot = this.#expected.get(slot);
    if (size < (ofSlot?.get(dataInfoId) ?? 0)) return false;
    ofSlot?.delete(dataInfoId);
    if (ofSlot?.size === 0) this.#expected.delete(slot);
    return true;
  }

  /** A publisher that had returned has unpublished: the service will not have so many again. */
  unpublished({ slot, dataInfoId }: Service): void {
    const expected = this.#expected.get(slot)?.get(dataInfoId);
    if (expected !== undefined) this.#expected.get(slot)?.set(dataInfoId, expected - 1);
  }

  /** Another node has kept this slot meanwhile: its services need not be waited for. Those that were still held. */
  forget(slot: number): Iterable<DataInfoId> {
    const held = this.#expected.get(slot)?.keys() ?? [];
    this.#expected.delete(slot);
    return held;
  }

  /** Ends the hold: what was still held, by slot. */
  end(): (readonly [slot: number, held: Iterable<DataInfoId>])[] {
    const held = [...this.#expected].map(([slot, services]) => [slot, services.keys()] as const);
    this.#expected.clear();
    return held;
  }
}
