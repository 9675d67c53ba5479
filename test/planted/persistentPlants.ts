// Bugs in how registrations that stay are kept.

import type { Plant } from "./plantedBug.ts";

const rules = ["persistent:"];

export const PERSISTENT_PLANTS: readonly Plant[] = [
  {
    name: "registrations that the leader does not know are not registered again",
    file: "src/persistent/keptLeases.ts",
    find: '      kept.next = "register";\n      return 0;',
    replace: "      return 0;",
    rules,
    firstSeed: 6,
    isCluster: true,
  },
  {
    name: "each session makes the checks of all registrations",
    file: "src/persistent/keeper.ts",
    find: "if (isHere && registration !== undefined)",
    replace: "if (registration !== undefined)",
    rules,
    isCluster: true,
  },
  {
    name: "the leader is not told of a health that has changed",
    file: "src/session/renewals.ts",
    find: "...(health !== undefined && { health }),",
    replace: "",
    rules,
    isCluster: true,
  },
  {
    name: "a mark of what was taken back is one of a registration",
    file: "src/persistent/keeper.ts",
    find: "const isKept = (isHere && registration !== undefined) || isEnded;",
    replace: "const isKept = isHere && registration !== undefined;",
    rules,
    firstSeed: 6,
    isCluster: true,
  },
];
