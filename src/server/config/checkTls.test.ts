import assert from "node:assert/strict";
import { test } from "node:test";
import { checkTls } from "./checkTls.ts";
import { configWith } from "./load.ts";
import type { Config } from "./table.ts";

const PAIR = { tlsCertFile: "/etc/roster/tls.crt", tlsKeyFile: "/etc/roster/tls.key" };

const REFUSED: readonly [what: string, changes: Partial<Config>, key: string][] = [
  ["a certificate without its key", { tlsCertFile: "/a" }, "tls-key-file"],
  ["a key without its certificate", { tlsKeyFile: "/a" }, "tls-cert-file"],
  ["authorities of clients without TLS", { tlsClientCaFile: "/a" }, "tls-cert-file"],
  ["certificates of clients without TLS", { tlsClientAuth: "require" }, "tls-cert-file"],
  ["certificates of clients without an authority", { ...PAIR, tlsClientAuth: "request" }, "tls-client-ca-file"],
  ["an authority of certificates that are not asked for", { ...PAIR, tlsClientCaFile: "/a" }, "tls-client-auth"],
  [
    "plain connections at a port without TLS",
    { ...PAIR, tlsPorts: ["clients"], tlsPlainPorts: ["http"] },
    "tls-plain-ports",
  ],
];

for (const [what, changes, key] of REFUSED) {
  test(`${what} is refused with the key to set`, () => {
    assert.throws(() => checkTls(configWith(changes)), new RegExp(`CONFIG_INVALID.*key=${key}`));
  });
}

for (const changes of [
  {},
  PAIR,
  { ...PAIR, tlsClientCaFile: "/a", tlsClientAuth: "require" },
  { ...PAIR, tlsPlainPorts: ["http"] },
] as const) {
  test(`settings that go together are taken: ${Object.keys(changes)}`, () => checkTls(configWith(changes)));
}
