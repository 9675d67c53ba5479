// The hash of strings that clients choose: registIds, client ids, zones, application names, attributes.
//
// With a public hash function, 32,768 registIds of one hash are made in a second, and each registration then walks over
// all the others. So the hash has a key of 64 bits, drawn at random by each process, and nothing that leaves the
// process depends on it. It is HalfSipHash-1-3, which Linux uses for tables of its own ("hsiphash"): in words of 32
// bits it takes 10 to 20 ns more for a registId than the murmur that it replaces, which took 20. For a peer that sees
// no hashes, and none of ours are shown, it is a random function: any two texts collide with a chance of 1 in 2^32. A
// murmur with a random start would not do: texts are known that collide under every start.

import type { Random } from "../../base/ports.ts";

const TWO_POWER_32 = 2 ** 32;
const FINAL_ROUNDS = 3;
// A UUID and its service are six words. Longer texts make it grow, up to what a registration may have.
const WORDS_AT_FIRST = 256;

export class KeyedHash {
  readonly #key0: number;
  readonly #key1: number;
  #words = new Int32Array(WORDS_AT_FIRST);

  constructor(random: Random) {
    this.#key0 = Math.floor(random.next() * TWO_POWER_32) | 0;
    this.#key1 = Math.floor(random.next() * TWO_POWER_32) | 0;
  }

  /** Room for the words to be hashed; existing words stay. */
  room(words: number): Int32Array {
    if (words <= this.#words.length) return this.#words;
    const larger = new Int32Array(words * 2);
    larger.set(this.#words);
    this.#words = larger;
    return larger;
  }

  /** Puts a text there, with its length, so that "ab", "c" is not "a", "bc"; returns its end. */
  put(text: string, start: number): number {
    const words = this.room(start + 2 + (text.length >> 1));
    const even = text.length & ~1;
    let end = start;
    words[end++] = text.length;
    for (let at = 0; at < even; at += 2) words[end++] = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
    if (even < text.length) words[end++] = text.charCodeAt(even);
    return end;
  }

  /** The hash of the first `count` words: 32 bits, unsigned. */
  hash(count: number): number {
    const words = this.#words;
    let v0 = this.#key0;
    let v1 = this.#key1;
    let v2 = 0x6c796765 ^ v0;
    let v3 = 0x74656462 ^ v1;
    for (let at = 0; at < count + FINAL_ROUNDS; at++) {
      if (at === count) v2 ^= 0xff;
      const word = at < count ? (words[at] as number) : 0;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return (v1 ^ v3) >>> 0;
  }
}
