import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { checkBind } from "./checkBind.ts";

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

const KEYS = { bind: "127.0.0.1", adminBind: "127.0.0.1", metaAddresses: [] };

for (const bind of LOOPBACK) {
  test(`${bind} is loopback`, () => checkBind({ ...KEYS, bind, insecure: false }));
}

for (const bind of BEYOND) {
  test(`${bind} is beyond loopback: refused, unless --insecure says so`, () => {
    const refused = (error: unknown) => error instanceof RegistryError && error.code === "BIND_REFUSED";
    assert.throws(() => checkBind({ ...KEYS, bind, insecure: false }), refused);
    checkBind({ ...KEYS, bind, insecure: true });
    assert.throws(() => checkBind({ ...KEYS, adminBind: bind, insecure: false }), refused);
  });
}

test("links to meta nodes beyond loopback are asked for by name too", () => {
  const refused = (error: unknown) => error instanceof RegistryError && error.code === "BIND_REFUSED";
  const keys = { ...KEYS, metaAddresses: ["[::1]:9620", "10.0.0.1:9620"] };
  assert.throws(() => checkBind({ ...keys, insecure: false }), refused);
  checkBind({ ...keys, insecure: true });
});
