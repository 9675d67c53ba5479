// Bugs in what operators' rules do.

import type { Plant } from "./plantedBug.ts";

export const RULE_PLANTS: readonly Plant[] = [
  {
    name: "a client that publishes again is no longer offline",
    file: "src/data/datum.ts",
    find: "    const isHidden = this.#hides(publication);\n    this.#publications.set(publication, isHidden);",
    replace: "    const isHidden = false;\n    this.#publications.set(publication, isHidden);",
    rules: ["rules:"],
    isCluster: true,
  },
  {
    name: "what a rule hides stays in the lists that are known",
    file: "src/data/ruleSweep.ts",
    find: "if (changes.length > 0 && now?.duty",
    replace: "if (changes.length > 5_000 && now?.duty",
    rules: ["rules:", "7", "4"],
    isCluster: true,
  },
  {
    name: "what a removed rule hid stays hidden",
    file: "src/data/ruleSweep.ts",
    find: ".map((id) => before.get(id));",
    replace: ".map((id) => (change.put.length === 0 ? undefined : before.get(id)));",
    rules: ["7"],
    isCluster: true,
  },
  {
    name: "a rule that is changed concerns only what it concerns now",
    file: "src/data/ruleSweep.ts",
    find: "[...change.removed, ...change.put.map(({ id }) => id)].map(",
    replace: "change.removed.map(",
    rules: ["7"],
    isCluster: true,
  },
  {
    name: "pushes are not held",
    file: "src/session/pusher.ts",
    find: " || this.#holds.holds(target)) return 0;",
    replace: ") return 0;",
    rules: ["rules:"],
    isCluster: true,
  },
  {
    name: "held lists wait for the next scan",
    file: "src/session/session.ts",
    find: 'if (taken === "changed") this.#scan.beginAnew(nowMs);',
    replace: "",
    rules: ["7", "quiet:"],
    isCluster: true,
  },
  {
    name: "a member that comes is not told the rules",
    file: "src/meta/meta.ts",
    find: "    this.#rules.tell(from, heartbeat, nowMs);\n",
    replace: "",
    rules: ["rules:", "7"],
    isCluster: true,
  },
  {
    name: "a member that comes is told the table before the rules",
    file: "src/meta/meta.ts",
    find: "    this.#rules.tell(from, heartbeat, nowMs);\n",
    replace: "    this.#tellTable(from, tableEpoch);\n    this.#rules.tell(from, heartbeat, nowMs);\n",
    rules: ["rules:"],
    isCluster: true,
  },
  {
    name: "the next leader does not know what the one before hid",
    file: "src/data/following.ts",
    find: "datum.follow({ version, origin }, hidden);",
    replace: "datum.follow({ version, origin });",
    scenario: "offline-outlives-its-leader",
  },
];
