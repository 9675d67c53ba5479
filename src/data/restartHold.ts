// After a restart a data node knows nothing until the clients are back, and they come back one by one, over seconds. A
// list pushed in between would be empty or short although every provider is fine. So the node keeps the size of each
// service on its disk, and holds a service back until that many publishers have returned, or until the time in which a
// living client returns is over.

import type { DataInfoId } from "../model/ids.ts";

/** Which services are held back since a restart, and until when. */
export class RestartHold {
  readonly #expected: Map<DataInfoId, number>;
  readonly #untilMs: number;
  // Made when the first slot is forgotten: slots come one after the other, and services may be a hundred thousand.
  #bySlot: Map<number | undefined, DataInfoId[]> | undefined;

  /** `sizes`: publishers of each service before the restart. */
  constructor(sizes: ReadonlyMap<DataInfoId, number>, untilMs: number) {
    this.#expected = new Map(sizes);
    this.#untilMs = untilMs;
  }

  get size(): number {
    return this.#expected.size;
  }

  /** When what is still held must be released; Infinity if nothing is held. */
  get untilMs(): number {
    return this.#expected.size === 0 ? Number.POSITIVE_INFINITY : this.#untilMs;
  }

  holds(dataInfoId: DataInfoId): boolean {
    return this.#expected.has(dataInfoId);
  }

  /** Whether a service that now has `size` publishers may be shown; from then on it is no longer held. */
  releases(dataInfoId: DataInfoId, size: number): boolean {
    const expected = this.#expected.get(dataInfoId);
    if (expected === undefined) return true;
    if (size < expected) return false;
    this.#expected.delete(dataInfoId);
    return true;
  }

  /** A publisher that had returned has unpublished: the service will not have so many again. */
  unpublished(dataInfoId: DataInfoId): void {
    const expected = this.#expected.get(dataInfoId);
    if (expected !== undefined) this.#expected.set(dataInfoId, expected - 1);
  }

  /** Another node has kept the services of this slot meanwhile: they need not be waited for. */
  forget(slot: number, slotOf: (dataInfoId: DataInfoId) => number | undefined): void {
    this.#bySlot ??= Map.groupBy(this.#expected.keys(), slotOf);
    for (const dataInfoId of this.#bySlot.get(slot) ?? []) this.#expected.delete(dataInfoId);
    this.#bySlot.delete(slot);
  }

  /** Ends the hold: the services that were still held. */
  end(): DataInfoId[] {
    const held = [...this.#expected.keys()];
    this.#expected.clear();
    this.#bySlot = undefined;
    return held;
  }
}
