// SHA-1 (FIPS 180-4), for protocols that name identities by it. It protects nothing here: new forms use SHA-256.

import { SHA_BLOCK_BYTES, shaBlocks } from "./shaBlocks.ts";

const ROUND_WORDS = 80;
const ROUND_LENGTH = 20;
const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0] as const;
const CONSTANTS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6] as const;

/** The digest, 20 bytes. */
export function sha1(bytes: Uint8Array): Uint8Array {
  const blocks = shaBlocks(bytes);
  const state = Uint32Array.from(START);
  const words = new Uint32Array(ROUND_WORDS);
  for (let at = 0; at < blocks.byteLength; at += SHA_BLOCK_BYTES) mix(state, schedule(words, blocks, at));
  const digest = new Uint8Array(state.length * 4);
  const out = new DataView(digest.buffer);
  for (const [at, word] of state.entries()) out.setUint32(at * 4, word);
  return digest;
}

function schedule(words: Uint32Array, block: DataView, at: number): Uint32Array {
  for (let t = 0; t < 16; t++) words[t] = block.getUint32(at + t * 4);
  for (let t = 16; t < ROUND_WORDS; t++) {
    const mixed =
      (words[t - 3] as number) ^ (words[t - 8] as number) ^ (words[t - 14] as number) ^ (words[t - 16] as number);
    words[t] = turn(mixed, 1);
  }
  return words;
}

function mix(state: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number];
  for (let t = 0; t < ROUND_WORDS; t++) {
    const round = Math.floor(t / ROUND_LENGTH);
    const next = turn(a, 5) + choose(round, b, c, d) + e + (CONSTANTS[round] as number) + (words[t] as number);
    [e, d, c, b, a] = [d, c, turn(b, 30), a, next >>> 0];
  }
  for (const [at, value] of [a, b, c, d, e].entries()) state[at] = (state[at] as number) + value;
}

function choose(round: number, b: number, c: number, d: number): number {
  if (round === 0) return (b & c) | (~b & d);
  return round === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
}

function turn(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
