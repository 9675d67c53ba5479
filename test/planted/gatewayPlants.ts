// Bugs in the gateways of Eureka and Nacos, which only clients that go through them show.

import type { Plant } from "./plantedBug.ts";

const rules = ["http:"];
const isCluster = true;

export const GATEWAY_PLANTS: readonly Plant[] = [
  {
    name: "an instance of Eureka is kept for half of its lease",
    file: "src/protocols/eureka/map.ts",
    find: "leaseInfo.durationInSecs * 1_000,",
    replace: "leaseInfo.durationInSecs * 500,",
    rules: [...rules, "leases:"],
    firstSeed: 15,
    isCluster,
  },
  {
    name: "a status that an operator has set is not known as one after a registration",
    file: "src/protocols/eureka/changes.ts",
    find: 'existing === undefined || existing.overriddenStatus === "UNKNOWN"\n',
    replace: 'existing === undefined || existing.overriddenStatus !== "UP"\n',
    rules,
    firstSeed: 54,
    isCluster,
  },
  {
    name: "the changes of Eureka do not say what is gone",
    file: "src/protocols/eureka/applications.ts",
    find: '      changed(instance, "DELETED");\n',
    replace: "      isChanged = true;\n",
    rules,
    firstSeed: 15,
    isCluster,
  },
  {
    name: "the body of Eureka's changes is that of the first question",
    file: "src/protocols/eureka/bodies.ts",
    find: "if (made.changes?.version !== version) {",
    replace: "if (made.changes === undefined) {",
    rules,
    firstSeed: 15,
    isCluster,
  },
  {
    name: "the part of an application is not made anew",
    file: "src/protocols/eureka/bodies.ts",
    find: "if (known?.version === version) return known.bytes;",
    replace: "if (known !== undefined && version > 0) return known.bytes;",
    rules,
    firstSeed: 15,
    isCluster,
  },
  {
    name: "a heartbeat of an instance that is gone is answered as if it were there",
    file: "src/protocols/eureka/registrations.ts",
    find: "if (result !== OK) return done(result.status === 404 ? unknown(about) : result);\n      this.#tell({ ...named",
    replace: "if (result !== OK) return done(result.status === 404 ? known : result);\n      this.#tell({ ...named",
    rules,
    firstSeed: 270,
    isCluster,
  },
  {
    name: "a client's newer state is taken for the older one",
    file: "src/protocols/eureka/changes.ts",
    find: "existing.lastDirtyTimestamp > incoming.lastDirtyTimestamp;",
    replace: "existing.lastDirtyTimestamp < incoming.lastDirtyTimestamp;",
    rules,
    firstSeed: 15,
    isCluster,
  },
  {
    name: "the changes of Eureka are those of the last second",
    file: "src/protocols/eureka/applications.ts",
    find: "if (atMs > nowMs - KEPT_MS) break;",
    replace: "if (atMs > nowMs - 1_000) break;",
    rules,
    firstSeed: 15,
    isCluster,
  },
  {
    name: "the hash of Eureka counts an instance in each status that it has had",
    file: "src/protocols/eureka/applications.ts",
    find: "      if (was !== undefined) this.#count(was.instance.status, -1);\n",
    replace: "",
    rules,
    firstSeed: 15,
    isCluster,
  },
];
