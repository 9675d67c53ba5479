import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { configWith } from "./load.ts";
import { checkNodeRoles, isStandalone, nodePortOf, portsOf } from "./nodeRoles.ts";
import type { Config } from "./table.ts";

const META: Partial<Config> = { metaAddresses: ["127.0.0.1:9620"] };

const CLIENTS = {
  "bolt-port": 9600,
  "eureka-port": 8761,
  "nacos-port": 8848,
  "nacos-grpc-port": 9848,
  "zookeeper-port": 2181,
  "consul-port": 8500,
  "dns-port": 8600,
  "http-port": 9603,
};

const PORTS: readonly [who: string, changes: Partial<Config>, ports: Record<string, number>][] = [
  ["a whole registry", {}, { ...CLIENTS, "meta-http-port": 9615, "data-http-port": 9622, "admin-port": 9604 }],
  [
    "a whole registry that others may join",
    { nodePort: 9620 },
    { ...CLIENTS, "meta-http-port": 9615, "data-http-port": 9622, "admin-port": 9604, "node-port": 9620 },
  ],
  ["a session node", { ...META, roles: ["session"] }, { ...CLIENTS, "admin-port": 9604 }],
  ["a data node", { ...META, roles: ["data"] }, { "data-http-port": 9622, "admin-port": 9604, "node-port": 9620 }],
  ["a meta node", { roles: ["meta"] }, { "meta-http-port": 9615, "admin-port": 9604, "node-port": 9620 }],
];

for (const [who, changes, ports] of PORTS) {
  test(`${who} opens the ports that it needs`, () => {
    assert.deepEqual(Object.fromEntries(portsOf(configWith(changes))), ports);
  });
}

test("only a process with all roles, no meta addresses and no node port is the whole registry", () => {
  assert.equal(isStandalone(configWith()), true);
  assert.equal(isStandalone(configWith({ nodePort: 0 })), false);
  assert.equal(isStandalone(configWith(META)), false);
  assert.equal(isStandalone(configWith({ ...META, roles: ["session"] })), false);
  assert.equal(nodePortOf(configWith()), undefined);
});

const REFUSED: readonly [behaviour: string, changes: Partial<Config>, parts: readonly string[]][] = [
  ["no role", { roles: [] }, ["key=roles", "at least one of meta, data, session"]],
  ["a session without meta nodes", { roles: ["session"] }, ["key=meta-addresses", "the node-port of each meta node"]],
  [
    "several meta nodes without a database",
    { metaAddresses: ["127.0.0.1:1", "127.0.0.1:2"] },
    ["key=store-url", "must share a database"],
  ],
  [
    "two listeners on one port",
    { metaHttpPort: 9620, nodePort: 9620 },
    ["key=node-port", "other than that of meta-http-port"],
  ],
  ["an advertised wildcard", { advertiseNodeAddress: "0.0.0.0" }, ["key=advertise-node-address", "can be reached"]],
  [
    "loopback for a node whose meta nodes are elsewhere",
    { roles: ["data"], metaAddresses: ["10.0.0.1:9620"], insecure: true },
    ["key=bind", "10.0.0.1:9620 is not on this machine"],
  ],
];

for (const [behaviour, changes, parts] of REFUSED) {
  test(`refuses ${behaviour}, and says what to do`, () => {
    assert.throws(
      () => checkNodeRoles(configWith(changes)),
      (error) => {
        assert.ok(error instanceof RegistryError && error.code === "CONFIG_INVALID", String(error));
        for (const part of parts) assert.ok(error.message.includes(part), `${error.message} names ${part}`);
        return true;
      },
    );
  });
}

test("roles that are not run may share a port", () => {
  checkNodeRoles(configWith({ ...META, roles: ["session"], metaHttpPort: 9600 }));
});
