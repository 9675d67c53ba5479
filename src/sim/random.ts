// The simulation's dice: sfc32, small, fast and good enough for every statistical test that matters here. Each part of
// a run rolls its own dice, forked from the seed's, so that an extra roll in one part does not change the course of all
// others.

import { assert, defined } from "../base/assert.ts";
import type { Random } from "../base/ports.ts";

// The first values are discarded: seeds that differ in one bit begin alike.
const WARM_UP = 12;

export class Dice implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let round = 0; round < WARM_UP; round++) this.#roll();
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.#roll() / 0x1_0000_0000;
  }

  /** A whole number from 0 to `end - 1`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, "there is something to pick from");
    return defined(items[this.below(items.length)], "an index below the length is inside");
  }

  /** The items in another order. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      const [a, b] = [shuffled[at], shuffled[other]];
      if (a !== undefined && b !== undefined) [shuffled[at], shuffled[other]] = [b, a];
    }
    return shuffled;
  }

  /** A fork: its own dice, determined by these. */
  fork(): Dice {
    return new Dice(this.#roll() * 0x20_0000 + (this.#roll() >>> 11));
  }

  #roll(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}
