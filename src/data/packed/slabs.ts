// Memory for cells of any size, off the heap, that neither leaks nor fragments. Cells are written one behind the other
// into slabs of 1 MiB. A freed cell stays a hole until holes are a fifth of everything. Then the emptiest slab is
// walked, a few cells with every change, its live cells move to the end of the newest slab, and the whole slab is free.
// So there are no free lists and no size classes, and memory is bounded by the live cells, for any sizes and order of
// changes. The price: a cell may move whenever `tidy` is called, and its owner must be told.
//
// A cell begins with a word whose low 16 bits are its length in units and whose top bit marks it as free; a slab is
// walked by these words. The other bits are the owner's.

import { assert } from "../../base/assert.ts";

/** The size of a slab. */
export const SLAB_BYTES = 1024 * 1024;
/** Cells begin and end at multiples of this. */
export const UNIT_BYTES = 8;
/** The bits of a cell's first word that the owner must not change. */
export const UNITS_MASK = 0xffff;
// A position is the number of a slab and a unit in it: 32 bits reach over 32 GiB, some 140 million publications.
const UNIT_BITS = 17;
const UNIT_MASK = (1 << UNIT_BITS) - 1;
const SLAB_UNITS = SLAB_BYTES / UNIT_BYTES;
// The last of 2^15 would make positions that a HashIndex takes for its own marks.
const SLABS_MAX = 2 ** 15 - 2;
const FREE = 0x8000_0000;

// Holes may be a quarter of the live cells (a fifth of everything), and two slabs for small stores: the tighter, the
// more is moved for each change. At a quarter the emptiest slab is full to 0.63 if holes are even, and two cells are
// moved for one that is written; at an eighth it would be four.
const HOLES_PER_LIVE = 1 / 4;
const HOLE_SLABS_MIN = 2;
// Free slabs are kept for reuse, since dropped ones return to the system only when the garbage collector has noticed: a
// 64th of those in use, and two.
const SPARE_PER_SLAB = 1 / 64;
const SPARE_MIN = 2;

// Moving a cell and telling its owner costs at least as much as walking over this many holes: 0.4 µs against some ns.
const STEPS_PER_MOVE = 4;

/** The memory of many cells, under each of the types that they are read by. */
export class Slab {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly longs: BigInt64Array;
  readonly doubles: Float64Array;
  /** Units that were ever written, and live ones. */
  end = 0;
  live = 0;

  constructor(number: number) {
    const memory = new ArrayBuffer(SLAB_BYTES);
    this.number = number;
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory);
    this.longs = new BigInt64Array(memory);
    this.doubles = new Float64Array(memory);
  }
}

/** The unit of a position in its slab. */
export function unitOf(position: number): number {
  return position & UNIT_MASK;
}

export class Slabs {
  readonly #moved: (from: number, to: number) => void;
  // By number; number 0 is not used, so that no position is NONE.
  readonly #slabs: (Slab | undefined)[] = [undefined];
  readonly #freeNumbers: number[] = [];
  readonly #spare: Slab[] = [];
  #inUse = 0;
  #live = 0;
  #open: Slab | undefined;
  // The slab that is being emptied, and the unit reached so far.
  #emptied: Slab | undefined;
  #emptiedTo = 0;

  /** `tidy` calls `moved` when a cell has a copy at `to`; the one at `from` is free when it returns. */
  constructor(moved: (from: number, to: number) => void) {
    this.#moved = moved;
  }

  get bytes(): number {
    return (this.#inUse + this.#spare.length) * SLAB_BYTES;
  }

  /** The live cells in the slabs, in bytes. */
  get liveBytes(): number {
    return this.#live * UNIT_BYTES;
  }

  /** The slab of a position; in it the cell begins at `unitOf(position)`. */
  slabOf(position: number): Slab {
    return this.#slabs[position >>> UNIT_BITS] as Slab;
  }

  /** A new cell; its first word holds only its length, the rest holds arbitrary bytes. */
  allocate(units: number): number {
    let slab = this.#open;
    if (slab === undefined || slab.end + units > SLAB_UNITS) slab = this.#openNext();
    const unit = slab.end;
    slab.words[unit * 2] = units;
    slab.end += units;
    slab.live += units;
    this.#live += units;
    return ((slab.number << UNIT_BITS) | unit) >>> 0;
  }

  free(position: number): void {
    const slab = this.slabOf(position);
    const at = unitOf(position) * 2;
    const head = slab.words[at] as number;
    assert(head < FREE, "a cell is freed once");
    slab.words[at] = head | FREE;
    const units = head & UNITS_MASK;
    slab.live -= units;
    this.#live -= units;
    if (slab.live === 0 && slab !== this.#open && slab !== this.#emptied) this.#release(slab);
  }

  /** Does up to `steps` of the work on the slab that is being emptied; false if there is none. */
  tidy(steps: number): boolean {
    for (let left = steps; left > 0; ) {
      const slab = this.#emptied ?? this.#chooseEmptied();
      if (slab === undefined) return false;
      if (this.#emptiedTo === slab.end) {
        this.#emptied = undefined;
        this.#release(slab);
        left--;
      } else left -= this.#walkOver(slab);
    }
    return true;
  }

  #walkOver(slab: Slab): number {
    const unit = this.#emptiedTo;
    const head = slab.words[unit * 2] as number;
    const units = head & UNITS_MASK;
    this.#emptiedTo = unit + units;
    if (head >= FREE) return 1;
    const to = this.allocate(units);
    copyWords(slab, unit * 2, { to: this.slabOf(to), at: unitOf(to) * 2, words: units * 2 });
    this.#moved(((slab.number << UNIT_BITS) | unit) >>> 0, to);
    slab.live -= units;
    this.#live -= units;
    return STEPS_PER_MOVE;
  }

  #chooseEmptied(): Slab | undefined {
    const holes = this.#inUse * SLAB_UNITS - this.#live;
    if (holes <= this.#live * HOLES_PER_LIVE + HOLE_SLABS_MIN * SLAB_UNITS) return undefined;
    let emptiest: Slab | undefined;
    for (const slab of this.#slabs) {
      if (slab === undefined || slab === this.#open || slab.end === 0) continue;
      if (emptiest === undefined || slab.live < emptiest.live) emptiest = slab;
    }
    this.#emptied = emptiest;
    this.#emptiedTo = 0;
    return emptiest;
  }

  #openNext(): Slab {
    const slab = this.#spare.pop() ?? this.#newSlab();
    this.#inUse++;
    this.#open = slab;
    return slab;
  }

  #newSlab(): Slab {
    const number = this.#freeNumbers.pop() ?? this.#slabs.length;
    assert(number <= SLABS_MAX, "a node's publications are below 32 GiB");
    const slab = new Slab(number);
    this.#slabs[number] = slab;
    return slab;
  }

  #release(slab: Slab): void {
    this.#inUse--;
    slab.end = 0;
    if (this.#spare.length < SPARE_MIN + this.#inUse * SPARE_PER_SLAB) this.#spare.push(slab);
    else {
      this.#slabs[slab.number] = undefined;
      this.#freeNumbers.push(slab.number);
    }
  }
}

// Word by word: for 200 bytes that is faster than a view on each side.
function copyWords(from: Slab, start: number, target: { to: Slab; at: number; words: number }): void {
  const source = from.words;
  const { words } = target.to;
  for (let word = 0; word < target.words; word++) words[target.at + word] = source[start + word] as number;
}
