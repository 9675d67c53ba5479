// Bugs in the pause of the arrangement of slots, and in the change of the leading meta node by operators.

import type { Plant } from "./plantedBug.ts";

export const SLOT_PLANTS: readonly Plant[] = [
  {
    name: "slots move for balance in a pause",
    file: "src/meta/arrangeSlots.ts",
    find: "if (!isPaused) balanceSlots(draft);",
    replace: "balanceSlots(draft);",
    rules: ["slots:"],
    isCluster: true,
    firstSeed: 25,
  },
  {
    name: "the next leader knows nothing of a pause",
    file: "src/meta/operatorSlots.ts",
    find: "loaded: ([pause]) => this.#take(pause),",
    replace: "loaded: () => undefined,",
    scenario: "slots-paused",
  },
  {
    name: "a dead leader is not replaced in a pause",
    file: "src/meta/arrangeSlots.ts",
    find: "  replaceGoneLeaders(draft);\n  handOver",
    replace: "  if (!isPaused) replaceGoneLeaders(draft);\n  handOver",
    scenario: "slots-paused",
  },
  {
    name: "a leader that steps down takes the lead straight back",
    file: "src/meta/lead.ts",
    find: "this.#askAtMs = nowMs + STEP_DOWN_MS;",
    replace: "this.#askAtMs = nowMs + 1;",
    rules: ["lead:"],
    isCluster: true,
    firstSeed: 4,
  },
];
