// Bugs in application-level discovery.

import type { Plant } from "./plantedBug.ts";

export const APP_PLANTS: readonly Plant[] = [
  {
    name: "an instance is shown before its revision is here",
    file: "src/session/shownLists.ts",
    find: "const isShown = unreadable.size === 0 ||",
    replace: "const isShown = unreadable.size >= 0 ||",
    rules: ["app:", "4"],
    isCluster: true,
    firstSeed: 20,
  },
  {
    name: "a list that names revisions is shown like any other",
    file: "src/session/serviceList.ts",
    find: "if (!this.namesRevisions) this.#setView(this.#publications);",
    replace: "this.#setView(this.#publications);",
    rules: ["app:"],
    isCluster: true,
    firstSeed: 43,
  },
  {
    name: "only the first revision of a publication's predecessor is forgotten",
    file: "src/session/serviceList.ts",
    find: "if (this.#named === NO_NAMES) this.#named = new Map();",
    replace: "if (this.#named !== NO_NAMES) continue;\n      this.#named = new Map();",
    rules: ["app:", "bug"],
    isCluster: true,
    firstSeed: 6,
  },
  {
    name: "lists do not hear that a revision has come",
    file: "src/session/applications.ts",
    find: "      this.lists.arrived(nowMs);\n",
    replace: "",
    rules: ["7", "quiet:", "6", "bug"],
    isCluster: true,
    firstSeed: 193,
  },
  {
    name: "a question about a revision is asked once",
    file: "src/session/revisions.ts",
    find: "        this.#again.set(id, nowMs + AGAIN_MS);\n",
    replace: "",
    rules: ["7", "quiet:", "app:"],
    isCluster: true,
    firstSeed: 10,
  },
  {
    name: "a registration is answered before the store has it",
    file: "src/meta/applications.ts",
    find: "    this.#registrants.add(id, from);\n",
    replace:
      '    this.#registrants.add(id, from);\n    this.#output.send(from, { kind: "revisionsStored", stored: [id], unknown: [] });\n',
    rules: ["app:", "quiet:", "7"],
    isCluster: true,
    firstSeed: 20,
  },
  {
    name: "a refused commit of revisions counts",
    file: "src/meta/applications.ts",
    find: 'if (result.kind === "committed") underWay.apply(result.revision);',
    replace: 'if (result.kind === "committed" || result.kind === "refused") underWay.apply(this.#versionRevision);',
    rules: ["app:", "quiet:", "7"],
    isCluster: true,
    firstSeed: 10,
  },
  {
    name: "the services of an application are those of its last revision",
    file: "src/meta/applications.ts",
    find: "new Map([...offered, ...services.map(",
    replace: "new Map([...services.map(",
    rules: ["app:"],
  },
];
