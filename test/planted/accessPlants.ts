// Bugs in how identities and policies come to all nodes, and in what they are worth there.

import type { Plant } from "./plantedBug.ts";

const rules = ["access:"];

export const ACCESS_PLANTS: readonly Plant[] = [
  {
    name: "an identity that is gone stays at the nodes without the store",
    file: "src/access/accessTold.ts",
    find: "identitiesGone: identities.filter((name) => this.#set.identity(name) === undefined),",
    replace: "identitiesGone: [],",
    rules,
    firstSeed: 2,
    isCluster: true,
  },
  {
    name: "a node whose epoch is not remembered is told nothing",
    file: "src/access/accessTold.ts",
    find: "if (from < 0) return { epoch: newest, change: this.#set.asChange() };",
    replace: "if (from < 0) return undefined;",
    rules,
    firstSeed: 155,
    isCluster: true,
  },
  {
    name: "a node asks no more once it has been answered",
    file: "src/access/accessFollower.ts",
    find: "      this.#waiting = undefined;",
    replace: "",
    rules,
    firstSeed: 2,
    isCluster: true,
  },
  {
    name: "a login outlives a change of its user",
    file: "src/access/accessSet.ts",
    find: "user.setMs !== loginOf.setMs || ",
    replace: "",
    rules,
    firstSeed: 82,
    isCluster: true,
  },
  {
    name: "a login keeps what its user may do no more",
    file: "src/access/accessSet.ts",
    find: "roles: roles.filter((role) => user.roles.includes(role))",
    replace: "roles",
    rules,
    firstSeed: 118,
    isCluster: true,
  },
  {
    name: "a meta node does not see what another one has changed",
    file: "src/meta/accessKeeper.ts",
    find: "else if (revision !== this.#revision) this.#readAnd",
    replace: "else if (this.#revision === undefined) this.#readAnd",
    rules,
    firstSeed: 12,
    isCluster: true,
  },
  {
    name: "a meta node that could not read the store does not look again",
    file: "src/meta/accessKeeper.ts",
    find: "if (!this.#isClosed) {\n          this.#cancel",
    replace: "if (!this.#isClosed && error === undefined) {\n          this.#cancel",
    rules,
    firstSeed: 118,
    isCluster: true,
  },
  {
    name: "a change that the store may not have made is acknowledged",
    file: "src/meta/accessKeeper.ts",
    find: "return done(uncertain(outcome));",
    replace: "return done();",
    rules,
    firstSeed: 2,
    isCluster: true,
  },
  {
    name: "a login that is put anew is removed with the ended ones",
    file: "src/access/accessEdit.ts",
    find: ".filter((name) => name !== identity.name);",
    replace: ";",
    rules,
    firstSeed: 2,
    isCluster: true,
  },
];
