import { randomFillSync } from "node:crypto";
import type { Random } from "../base/ports.ts";

// A call to the system's generator costs 500 ns, for any amount.
const WORDS = 1_024;
const TWO_POWER_26 = 2 ** 26;
const TWO_POWER_53 = 2 ** 53;

const words = new Uint32Array(WORDS);
let used = WORDS;

/** Dice that can't be predicted from earlier rolls: keys of hashes and names of runs are made with them. */
export const hostRandom: Random = {
  next(): number {
    if (used === WORDS) {
      randomFillSync(words);
      used = 0;
    }
    const high = (words[used++] as number) >>> 5;
    const low = (words[used++] as number) >>> 6;
    return (high * TWO_POWER_26 + low) / TWO_POWER_53;
  },
};
