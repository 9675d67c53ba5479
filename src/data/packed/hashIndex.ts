// Maps a hash to the numbers stored under it: an open-addressing table of pairs (hash, number), off the heap.
//
// It never stalls: when it is too full or too empty, a new table of the right size takes all new entries, and every
// change carries some cells of the old one over. Until that is done, a lookup asks both. The hash is in the table, so
// moving an entry does not touch the record behind it. In the new table the entries behind a removed one close its
// place, so there are no gravestones and it works as on its first day after any number of changes; the old one only
// marks.

import { assert } from "../../base/assert.ts";
import { NONE } from "./numbered.ts";

// A cell of the old table whose entry was carried over or removed: not empty, or the entries behind it would not be
// found.
const GONE = 0xffff_ffff;
// In a full table an unsuccessful lookup reads 13 cells of 8 bytes, and 3 just after it has grown.
const LOAD_MAX = 0.8;
const LOAD_NEW = 0.53;
const LOAD_MIN = 0.3;
const CELLS_MIN = 8;
const CELL_BYTES = 8;
const TWO_POWER_32 = 2 ** 32;
// A table at LOAD_MAX has grown by half when it is full again: 0.4 changes for each of its old cells. One that was at
// LOAD_MIN is shrunk to 0.57 of its cells and full after 0.15 changes for each: 7 cells a change are enough.
const CELLS_PER_CHANGE = 16;

// A table with one empty cell, in place of none.
const NO_CELLS = new Uint32Array(2);

export class HashIndex {
  #cells = NO_CELLS;
  #capacity = 1;
  #used = 0;
  // The cells not carried over yet: from #moved on.
  #oldCells = NO_CELLS;
  #oldCapacity = 1;
  #oldUsed = 0;
  #moved = 0;
  // The place where a lookup continues.
  #hash = 0;
  #at = 0;
  #inOld = false;

  get size(): number {
    return this.#used + this.#oldUsed;
  }

  /** Memory off the heap. */
  get bytes(): number {
    const cells = this.#cells === NO_CELLS ? 0 : this.#capacity;
    return (cells + (this.#oldCells === NO_CELLS ? 0 : this.#oldCapacity)) * CELL_BYTES;
  }

  /** The first number stored under this hash (of 32 bits, unsigned), or NONE. */
  first(hash: number): number {
    this.#hash = hash;
    this.#at = home(hash, this.#capacity);
    this.#inOld = false;
    const found = this.#scan(this.#cells, this.#capacity);
    return found === NONE ? this.#firstOld() : found;
  }

  /** The next one after `first`; nothing may be changed in between. */
  next(): number {
    if (this.#inOld) return this.#scan(this.#oldCells, this.#oldCapacity);
    const found = this.#scan(this.#cells, this.#capacity);
    return found === NONE ? this.#firstOld() : found;
  }

  /** Stores a number that is not stored yet; not NONE. */
  add(hash: number, number: number): void {
    this.#carryOver(CELLS_PER_CHANGE);
    if (this.size + 1 > this.#capacity * LOAD_MAX) this.#resize();
    this.#put(hash, number);
  }

  /** Stores `to` in place of `from`. */
  replace(hash: number, from: number, to: number): void {
    const at = cellOf(this.#cells, this.#capacity, { hash, number: from });
    if (at >= 0) this.#cells[at * 2 + 1] = to;
    else this.#oldCells[this.#oldCellOf(hash, from) * 2 + 1] = to;
  }

  remove(hash: number, number: number): void {
    const at = cellOf(this.#cells, this.#capacity, { hash, number });
    if (at >= 0) this.#close(at);
    else {
      this.#oldCells[this.#oldCellOf(hash, number) * 2 + 1] = GONE;
      this.#oldUsed--;
    }
    this.#carryOver(CELLS_PER_CHANGE);
    if (this.size === 0) this.#empty();
    else if (this.#capacity > CELLS_MIN && this.size < this.#capacity * LOAD_MIN) this.#resize();
  }

  #firstOld(): number {
    if (this.#oldUsed === 0) return NONE;
    this.#inOld = true;
    this.#at = home(this.#hash, this.#oldCapacity);
    return this.#scan(this.#oldCells, this.#oldCapacity);
  }

  #scan(cells: Uint32Array, capacity: number): number {
    let at = this.#at;
    for (;;) {
      const number = cells[at * 2 + 1] as number;
      if (number === NONE) return NONE;
      const isFound = cells[at * 2] === this.#hash && number !== GONE;
      at = at + 1 === capacity ? 0 : at + 1;
      if (!isFound) continue;
      this.#at = at;
      return number;
    }
  }

  #put(hash: number, number: number): void {
    const cells = this.#cells;
    let at = home(hash, this.#capacity);
    while (cells[at * 2 + 1] !== NONE) at = at + 1 === this.#capacity ? 0 : at + 1;
    cells[at * 2] = hash;
    cells[at * 2 + 1] = number;
    this.#used++;
  }

  #oldCellOf(hash: number, number: number): number {
    const at = cellOf(this.#oldCells, this.#oldCapacity, { hash, number });
    assert(at >= 0, "what is taken out of an index is in it");
    return at;
  }

  // Entries behind the hole that may stand in it, because it is not before their home, move up until a cell is empty.
  #close(at: number): void {
    const cells = this.#cells;
    const capacity = this.#capacity;
    let hole = at;
    for (let next = (hole + 1) % capacity; cells[next * 2 + 1] !== NONE; next = (next + 1) % capacity) {
      const hash = cells[next * 2] as number;
      const fromHome = (next - home(hash, capacity) + capacity) % capacity;
      if (fromHome < (next - hole + capacity) % capacity) continue;
      cells[hole * 2] = hash;
      cells[hole * 2 + 1] = cells[next * 2 + 1] as number;
      hole = next;
    }
    cells[hole * 2 + 1] = NONE;
    this.#used--;
  }

  #resize(): void {
    // By the sums above nothing is left of an older one by now; if there were, it fits: both count for the load.
    this.#carryOver(this.#oldCapacity);
    this.#oldCells = this.#cells;
    this.#oldCapacity = this.#capacity;
    this.#oldUsed = this.#used;
    this.#moved = 0;
    this.#capacity = Math.max(CELLS_MIN, Math.ceil((this.#used + 1) / LOAD_NEW));
    this.#cells = new Uint32Array(this.#capacity * 2);
    this.#used = 0;
    this.#carryOver(CELLS_PER_CHANGE);
  }

  #carryOver(cellsMax: number): void {
    if (this.#oldCells === NO_CELLS) return;
    const cells = this.#oldCells;
    const end = Math.min(this.#oldCapacity, this.#moved + cellsMax);
    for (let at = this.#moved; at < end && this.#oldUsed > 0; at++) {
      const number = cells[at * 2 + 1] as number;
      if (number === NONE || number === GONE) continue;
      this.#put(cells[at * 2] as number, number);
      cells[at * 2 + 1] = GONE;
      this.#oldUsed--;
    }
    this.#moved = end;
    if (this.#oldUsed === 0) this.#forgetOld();
  }

  #forgetOld(): void {
    this.#oldCells = NO_CELLS;
    this.#oldCapacity = 1;
    this.#oldUsed = 0;
  }

  #empty(): void {
    this.#forgetOld();
    this.#cells = NO_CELLS;
    this.#capacity = 1;
    this.#used = 0;
  }
}

// Hashes spread over any number of cells, in their order: both tables are walked from front to back while one becomes
// the other. The product is below 2^53.
function home(hash: number, capacity: number): number {
  return Math.floor((hash * capacity) / TWO_POWER_32);
}

function cellOf(cells: Uint32Array, capacity: number, entry: { hash: number; number: number }): number {
  let at = home(entry.hash, capacity);
  for (;;) {
    const number = cells[at * 2 + 1] as number;
    if (number === entry.number) return at;
    if (number === NONE) return -1;
    at = at + 1 === capacity ? 0 : at + 1;
  }
}
