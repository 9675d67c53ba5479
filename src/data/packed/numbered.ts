// Objects that records name by a number of 32 bits. Released numbers are used again. The objects are kept in chunks:
// one array for all would be copied whole whenever it grows, which takes milliseconds at some hundred thousand.

/** Stands for no object; never given out. */
export const NONE = 0;

const CHUNK_BITS = 10;
const CHUNK_MASK = (1 << CHUNK_BITS) - 1;

export class Numbered<T> {
  readonly #chunks: (T | undefined)[][] = [];
  readonly #free: number[] = [];
  #next = NONE + 1;

  get size(): number {
    return this.#next - 1 - this.#free.length;
  }

  add(value: T): number {
    const number = this.#free.pop() ?? this.#next++;
    this.replace(number, value);
    return number;
  }

  /** The object added under this number, which the caller knows to be in use. */
  get(number: number): T {
    return (this.#chunks[number >>> CHUNK_BITS] as T[])[number & CHUNK_MASK] as T;
  }

  replace(number: number, value: T): void {
    const chunk = this.#chunks[number >>> CHUNK_BITS];
    if (chunk !== undefined) chunk[number & CHUNK_MASK] = value;
    else this.#chunks[number >>> CHUNK_BITS] = number === NONE + 1 ? [undefined, value] : [value];
  }

  remove(number: number): void {
    (this.#chunks[number >>> CHUNK_BITS] as (T | undefined)[])[number & CHUNK_MASK] = undefined;
    this.#free.push(number);
  }
}
