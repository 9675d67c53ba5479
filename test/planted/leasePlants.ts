// Bugs in how registrations are kept by heartbeats.

import type { Plant } from "./plantedBug.ts";

const rules = ["leases:"];

export const LEASE_PLANTS: readonly Plant[] = [
  {
    name: "a promoted leader knows no leases",
    file: "src/data/leading.ts",
    find: "    this.#leases.begun(slot, nowMs);\n",
    replace: "",
    rules,
    firstSeed: 196,
    isCluster: true,
  },
  {
    name: "a promoted leader gives no time anew",
    file: "src/data/leaseTable.ts",
    find: "    kept.renewed = renewed;\n",
    replace: "    kept.renewed = Math.max(0, renewed - 9_000);\n",
    rules,
    firstSeed: 12,
    isCluster: true,
  },
  {
    name: "of a batch of heartbeats the leader hears the first",
    file: "src/data/leases.ts",
    find: "      lease.renewed = Math.max(",
    replace: "      if (at === 0) lease.renewed = Math.max(",
    rules,
    firstSeed: 203,
    isCluster: true,
  },
  {
    name: "a session believes heartbeats and does not pass them on",
    file: "src/session/renewals.ts",
    find: "const messages = renewals.map(",
    replace: "const messages = renewals.slice(0, 0).map(",
    rules,
    firstSeed: 12,
    isCluster: true,
  },
  {
    name: "nobody is told that a registration is unknown",
    file: "src/data/leases.ts",
    find: "(this.#isWhole(serviceKey) ? unknown : later).push(at);",
    replace: "later.push(at);",
    rules,
    firstSeed: 19,
    isCluster: true,
  },
  {
    name: "a heartbeat makes nothing healthy again",
    file: "src/data/leases.ts",
    find: "if (health === undefined ? lease.isUnhealthy : ",
    replace: "if (health === undefined ? at < 0 : ",
    rules,
    firstSeed: 203,
    isCluster: true,
  },
  {
    name: "registrations that heartbeats keep end like those of a lost session",
    file: "src/data/sessions.ts",
    find: " || session === LEASE_KEEPER",
    replace: "",
    rules,
    firstSeed: 19,
    isCluster: true,
  },
  {
    name: "a lease whose registration is renewed late is never looked at again",
    file: "src/data/leases.ts",
    find: "      table.wait(lease, due);\n",
    replace: "",
    rules,
    firstSeed: 12,
    isCluster: true,
  },
];
