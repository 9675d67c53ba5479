// Changes of bytes that make the most of a parser's mistakes, by seed.

import { Buffer } from "node:buffer";
import { Dice } from "../../../src/sim/random.ts";

// Lengths and counts that a parser may believe.
const LARGE = [0x7fffffff, 0xffffffff, 0x80000000, 0x00ffffff, 0x0000ffff];

/** The bytes with one to four changes. The same seed gives the same bytes. */
export function mutated(bytes: Buffer, seed: number): Buffer {
  const dice = new Dice(seed);
  let changed = bytes;
  for (let changes = dice.between(1, 4); changes > 0; changes--) changed = changedOnce(changed, dice);
  return changed;
}

function changedOnce(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(Math.max(1, bytes.length));
  const length = dice.between(1, 8);
  switch (dice.below(5)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    case 2: {
      const large = Buffer.alloc(4);
      large.writeUInt32BE(dice.pick(LARGE));
      return Buffer.concat([bytes.subarray(0, at), large, bytes.subarray(at + 4)]);
    }
    case 3:
      return Buffer.from(bytes.map((byte, place) => (place === at ? byte ^ (1 << dice.below(8)) : byte)));
    default:
      return Buffer.from(bytes.map((byte, place) => (place === at ? dice.below(256) : byte)));
  }
}
