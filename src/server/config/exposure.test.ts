import assert from "node:assert/strict";
import { test } from "node:test";
import { AccessSet, NO_ACCESS_RECORDS } from "../../access/accessSet.ts";
import { DEFAULT_POLICIES } from "../../access/policy.ts";
import { RegistryError } from "../../base/errors.ts";
import { checkExposure, openDoors } from "./exposure.ts";
import { configWith } from "./load.ts";
import type { Config } from "./table.ts";

const LOOPBACK = [
  "127.0.0.1",
  "127.8.9.10",
  "::1",
  "0:0:0:0:0:0:0:1",
  "[::1]",
  "::1%lo",
  "::ffff:127.0.0.1",
  "localhost",
  "LOCALHOST",
];
const BEYOND = [
  "0.0.0.0",
  "::",
  "[::]",
  "10.0.0.1",
  "128.0.0.1",
  "fe80::1",
  "::ffff:10.0.0.1",
  "localhost.example.org",
  "127.0.0.1.example.org",
  "127.1",
  "127.0.0.256",
];

const isRefused = (error: unknown) => error instanceof RegistryError && error.code === "BIND_REFUSED";
const check = (changes: Partial<Config>) => checkExposure(configWith(changes));

for (const bind of LOOPBACK) {
  test(`${bind} is loopback`, () => {
    check({ bind });
    assert.deepEqual(openDoors(configWith({ bind }), NO_ACCESS_RECORDS), []);
  });
}

for (const bind of BEYOND) {
  test(`${bind} is beyond loopback: refused, unless --insecure says so`, () => {
    assert.throws(() => check({ bind }), isRefused);
    check({ bind, insecure: true });
    assert.throws(() => check({ adminBind: bind }), isRefused);
  });
}

test("links to meta nodes beyond loopback are asked for by name too", () => {
  const keys = { roles: ["session"], metaAddresses: ["[::1]:9620", "10.0.0.1:9620"] } as const;
  assert.throws(() => check(keys), isRefused);
  check({ ...keys, insecure: true });
});

const TLS = { tlsCertFile: "server.pem", tlsKeyFile: "server.key" } as const;
const NODES = { ...TLS, tlsNodeCaFile: "ca.pem", metaAddresses: ["10.0.0.1:9620"] } as const;

const PATHS = "SOFARegistry's paths at the HTTP ports change values and rules without a proof";

const CASES: readonly (readonly [what: string, changes: Partial<Config>, open: readonly string[]])[] = [
  ["a whole registry with TLS and certificates of callers", { ...TLS, tlsClientAuth: "require" }, []],
  ["a session of a cluster with certificates on both sides", { ...NODES, roles: ["session"] }, []],
  ["no TLS", {}, ["the ports of clients can be read on the way", "the HTTP ports can be read on the way"]],
  ["HTTP that takes both kinds", { ...TLS, tlsPlainPorts: ["http"] }, ["the HTTP ports can be read on the way"]],
  ["HTTP left out", { ...TLS, tlsPorts: ["clients", "admin", "nodes"] }, ["the HTTP ports can be read on the way"]],
  [
    "links with a secret and without TLS",
    { ...TLS, tlsPorts: ["clients", "http", "admin"], metaAddresses: ["10.0.0.1:9620"], clusterSecretFile: "secret" },
    ["the links between nodes can be read on the way"],
  ],
  [
    "links with a secret that is optional",
    { ...NODES, tlsNodeCaFile: "", tlsPorts: ["clients", "http"], clusterSecretFile: "s", clusterSecretOptional: true },
    ["the links between nodes can be read on the way", "any program that reaches node-port can join the cluster"],
  ],
];

for (const [what, changes, open] of CASES) {
  test(`${what}: ${open.length === 0 ? "nothing is open" : "it is said what is open"}`, () => {
    const config = configWith({ ...changes, bind: "10.0.0.2" });
    const closed = new AccessSet(
      1n,
      [],
      DEFAULT_POLICIES.map((policy) => ({ ...policy, actions: [] })),
    );
    const doors = new Set(openDoors(config, closed));
    assert.deepEqual([...doors], open);
    if (open.length === 0) checkExposure(config);
    else
      assert.throws(
        () => checkExposure(config),
        (error: Error) => isRefused(error) && error.message.includes(open[0] ?? ""),
      );
  });
}

test("clients and readers that need no proof are open doors, by the policies in force", () => {
  const config = configWith({ ...TLS, bind: "10.0.0.2", adminBind: "10.0.0.2" });
  assert.deepEqual(openDoors(config, NO_ACCESS_RECORDS), ["clients publish and subscribe without a proof"]);
  const [clients, readers] = ["anonymous-clients", "anonymous-local-readers"].map((name) =>
    DEFAULT_POLICIES.find((policy) => policy.name === name),
  );
  assert.ok(clients !== undefined && readers !== undefined);
  const policies = [
    { ...clients, actions: ["subscribe"] as const },
    { ...readers, subjects: {} },
  ];
  assert.deepEqual(openDoors(config, new AccessSet(1n, [], policies)), [
    "clients subscribe without a proof",
    "operations that read need no proof",
  ]);
});

test("changes by SOFARegistry's paths that need no proof are an open door, unless callers need a certificate", () => {
  const config = { ...TLS, bind: "10.0.0.2", sofaChanges: "all" } as const;
  assert.ok(openDoors(configWith(config), NO_ACCESS_RECORDS).includes(PATHS));
  assert.ok(!openDoors(configWith({ ...config, tlsClientAuth: "require" }), NO_ACCESS_RECORDS).includes(PATHS));
});
