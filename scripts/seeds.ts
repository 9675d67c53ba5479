// Which seeds CI runs: the same as ever, which a change is compared with, and some that have never run before.

const DAY_MS = 86_400_000;
// More than a day's runs take, so that no seed comes twice.
const SEEDS_A_DAY = 10_000;
// Above the fixed ones, and above those that documents name.
const FIRST = 100_000_000;

/** How many seeds of each kind of world CI runs, from 1 on. */
export const CI_SEEDS = { single: 500, cluster: 400, tight: 160, tree: 60 } as const;

/** The first of the seeds of a day: all runs of a day agree, so that a failure can be repeated by all. */
export function firstSeedOf(date: Date): number {
  return FIRST + Math.floor(date.getTime() / DAY_MS) * SEEDS_A_DAY;
}
