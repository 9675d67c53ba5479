// SHA-256 (FIPS 180-4), for names that are too long to be keys. It takes 10 µs a KiB here; hosts that hash much have a
// faster one.

import { SHA_BLOCK_BYTES, shaBlocks } from "./shaBlocks.ts";

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUNDS: Uint32Array = fractions(64, Math.cbrt);
/** The same of the square roots of the first eight. */
const START: Uint32Array = fractions(8, Math.sqrt);

/** The digest in 64 hexadecimal digits. */
export function sha256Hex(bytes: Uint8Array): string {
  const blocks = shaBlocks(bytes);
  const state = START.slice();
  const words = new Uint32Array(64);
  for (let at = 0; at < blocks.byteLength; at += SHA_BLOCK_BYTES) mix(state, schedule(words, blocks, at));
  return [...state].map((word) => word.toString(16).padStart(8, "0")).join("");
}

function schedule(words: Uint32Array, block: DataView, at: number): Uint32Array {
  for (let t = 0; t < 16; t++) words[t] = block.getUint32(at + t * 4);
  for (let t = 16; t < 64; t++) {
    const early = words[t - 15] as number;
    const late = words[t - 2] as number;
    const low = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
    const high = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
    words[t] = (words[t - 16] as number) + low + (words[t - 7] as number) + high;
  }
  return words;
}

function mix(state: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let t = 0; t < 64; t++) {
    const choice = (e & f) ^ (~e & g);
    const first = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + (ROUNDS[t] as number) + (words[t] as number);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) >>> 0, c, b, a, (first + second) >>> 0];
  }
  for (const [at, value] of [a, b, c, d, e, f, g, h].entries()) state[at] = (state[at] as number) + value;
}

function turn(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function fractions(count: number, root: (of: number) => number): Uint32Array {
  const found = new Uint32Array(count);
  for (let number = 2, at = 0; at < count; number++) {
    if (!isPrime(number)) continue;
    // A double has 53 bits, of which these roots need three before the point.
    found[at] = Math.floor((root(number) % 1) * 2 ** 32);
    at++;
  }
  return found;
}

function isPrime(number: number): boolean {
  for (let factor = 2; factor * factor <= number; factor++) if (number % factor === 0) return false;
  return true;
}
