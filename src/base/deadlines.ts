// Keys that are due at a time, soonest first: a binary heap with one entry a key. Setting a key again moves it; a
// cancelled entry stays in the heap until its time comes, which keeps both operations cheap.

import { assert, defined } from "./assert.ts";

interface Entry<Key> {
  readonly atMs: number;
  readonly order: number;
  readonly key: Key;
}

/** Keys with a due time each. Entries due at the same time come out in the order in which they were set. */
export class Deadlines<Key> {
  readonly #heap: Entry<Key>[] = [];
  readonly #live = new Map<Key, Entry<Key>>();
  #order = 0;

  get size(): number {
    return this.#live.size;
  }

  set(key: Key, atMs: number): void {
    assert(Number.isFinite(atMs), "a deadline is a time");
    const entry = { atMs, order: this.#order++, key };
    this.#live.set(key, entry);
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
  }

  /** When the key is due; undefined if it is not set. */
  get(key: Key): number | undefined {
    return this.#live.get(key)?.atMs;
  }

  /** Makes nothing due before `atMs`: earlier keys move there if `may` allows it. */
  postpone(atMs: number, may: (key: Key) => boolean = () => true): void {
    for (const { key, atMs: dueMs } of [...this.#live.values()]) if (dueMs < atMs && may(key)) this.set(key, atMs);
  }

  delete(key: Key): void {
    this.#live.delete(key);
  }

  has(key: Key): boolean {
    return this.#live.has(key);
  }

  keys(): Iterable<Key> {
    return this.#live.keys();
  }

  /** The time at which the soonest key is due; Infinity if there is none. */
  nextMs(): number {
    this.#dropCancelled();
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes the soonest key that is due at `nowMs`, or undefined. */
  take(nowMs: number): Key | undefined {
    if (this.nextMs() > nowMs) return undefined;
    const entry = this.#pop();
    this.#live.delete(entry.key);
    return entry.key;
  }

  #dropCancelled(): void {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#live.get(top.key) === top) return;
      this.#pop();
    }
  }

  #pop(): Entry<Key> {
    const top = defined(this.#heap[0], "only a heap with entries is popped");
    const last = defined(this.#heap.pop(), "only a heap with entries is popped");
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return top;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isSooner(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const sooner = right < this.#heap.length && this.#isSooner(right, left) ? right : left;
      if (!this.#isSooner(sooner, at)) return;
      this.#swap(at, sooner);
      at = sooner;
    }
  }

  #isSooner(a: number, b: number): boolean {
    const [left, right] = [this.#at(a), this.#at(b)];
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    const entry = this.#at(a);
    this.#heap[a] = this.#at(b);
    this.#heap[b] = entry;
  }

  #at(index: number): Entry<Key> {
    return defined(this.#heap[index], "an index is inside the heap");
  }
}
