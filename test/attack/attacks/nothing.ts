// No attack: the figures of the machine and the honest clients by themselves. Anything worse than this is the attack's
// doing.

import type { Attack } from "../attack.ts";

export const nothing: Attack = {
  letter: "-",
  name: "nothing",
  isLight: true,
  sends: "nothing, to compare with",
  expected: "all well",
  full: 1,
  short: 1,
  strike: (attacker) => attacker.pause(attacker.leftMs),
};
