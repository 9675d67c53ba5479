// The tombstones of a node in the order in which they end. All live equally long, so the oldest is always in front.

import type { Datum, Tombstone } from "./datum.ts";

interface Entry {
  readonly datum: Datum;
  readonly registId: string;
  readonly tombstone: Tombstone;
  readonly endMs: number;
}

export class TombstoneQueue {
  readonly #lifeMs: number;
  #entries: Entry[] = [];
  // Entries before this one are done. Cutting them off each time would move all others, half a million after a busy
  // hour.
  #head = 0;

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs;
  }

  /** Remembers the tombstone that a removal has just left, if it left one. */
  add(datum: Datum, registId: string, nowMs: number): void {
    const tombstone = datum.tombstone(registId);
    if (tombstone !== undefined) this.#entries.push({ datum, registId, tombstone, endMs: nowMs + this.#lifeMs });
  }

  nextMs(): number {
    return this.#entries[this.#head]?.endMs ?? Number.POSITIVE_INFINITY;
  }

  /** Forgets what is over at `nowMs`, and tells of each datum that lost a tombstone. */
  expire(nowMs: number, expired: (datum: Datum) => void): void {
    for (let entry = this.#entries[this.#head]; entry !== undefined; entry = this.#entries[this.#head]) {
      if (entry.endMs > nowMs) break;
      this.#head++;
      entry.datum.expireTombstone(entry.registId, entry.tombstone);
      expired(entry.datum);
    }
    if (this.#head * 2 < this.#entries.length || this.#head === 0) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
