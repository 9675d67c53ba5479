// No attacker can choose registIds that meet in one place of the index.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostRandom } from "../../transport/random.ts";
import { KeyedHash } from "./keyedHash.ts";
import { RegistKey } from "./registKey.ts";

const COUNT = 8_192;

/** Dice that show these words. */
function dice(...words: number[]): { next(): number } {
  return { next: () => (words.shift() ?? 0) / 2 ** 32 };
}

const hashOf = (keyed: KeyedHash, words: readonly number[]): number => {
  keyed.room(words.length).set(words);
  return keyed.hash(words.length);
};

test("the hash is HalfSipHash-1-3: Linux's vectors for texts of 0, 1 and 4 bytes", () => {
  const keyed = new KeyedHash(dice(0x03020100, 0x07060504));
  assert.equal(hashOf(keyed, [0]), 0x5814c896);
  assert.equal(hashOf(keyed, [0x01000000]), 0xe7e864ca);
  assert.equal(hashOf(keyed, [0x03020100, 0x04000000]), 0x7e059ea6);
});

test("8,192 registIds with one hash of MurmurHash3 have as many hashes here", () => {
  const key = new RegistKey(new KeyedHash(dice(0x243f6a88, 0x85a308d3)));
  const hashes = new Set<number>();
  for (const registId of murmurTwins(COUNT)) {
    key.read(registId, 7);
    hashes.add(key.hash);
  }
  // Two of them by chance is 1 in 128, for dice that can't be known.
  assert.equal(hashes.size, COUNT);
});

test("a registId has another hash in another service", () => {
  const key = new RegistKey(new KeyedHash(dice(1, 2)));
  key.read("one", 7);
  const first = key.hash;
  key.read("one", 8);
  assert.notEqual(key.hash, first);
});

test("two processes have different hashes", () => {
  const words = [1, 2, 3, 4];
  const both = [hashOf(new KeyedHash(hostRandom), words), hashOf(new KeyedHash(hostRandom), words)];
  const more = [hashOf(new KeyedHash(hostRandom), words), hashOf(new KeyedHash(hostRandom), words)];
  assert.notDeepEqual(both, more);
});

test("texts are hashed with their lengths, however long they are", () => {
  const keyed = new KeyedHash(dice(1, 2));
  const long = "x".repeat(10_000);
  const hash = (...texts: string[]): number => keyed.hash(texts.reduce((at, text) => keyed.put(text, at), 0));
  assert.notEqual(hash("ab", "c"), hash("a", "bc"));
  assert.notEqual(hash("ab", ""), hash("a", "b"));
  assert.notEqual(hash(long, "a"), hash(long, "b"));
  assert.equal(hash(long, "a"), hash(long, "a"));
});

/**
 * UUIDs whose last word of four bytes is chosen so that all end in one state of MurmurHash3, as registKey.ts once had
 * it.
 */
function murmurTwins(count: number): string[] {
  const rotated = (word: number, by: number): number => (word << by) | (word >>> (32 - by));
  const block = (word: number): number => Math.imul(rotated(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  const mixed = (hash: number, word: number): number =>
    (Math.imul(rotated(hash ^ block(word), 13), 5) + 0xe6546b64) | 0;
  // Inverse factors modulo 2^32.
  const inverse = (odd: number): number => {
    let found = odd;
    for (let round = 0; round < 5; round++) found = Math.imul(found, 2 - Math.imul(odd, found));
    return found;
  };
  const wanted = rotated(Math.imul(0x12345678 - 0xe6546b64, inverse(5)), 19);
  return Array.from({ length: count }, (_, number) => {
    const hash = [number, 1, 2].reduce(mixed, 16 * 4);
    const last = Math.imul(rotated(Math.imul(wanted ^ hash, inverse(0x1b873593)), 17), inverse(0xcc9e2d51));
    assert.equal(mixed(hash, last), 0x12345678);
    return uuidOf([number, 1, 2, last]);
  });
}

function uuidOf(words: readonly number[]): string {
  const bytes = Buffer.alloc(16);
  for (const [at, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, at * 4);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
