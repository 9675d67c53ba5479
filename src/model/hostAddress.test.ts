import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { readHost } from "./hostAddress.ts";
import { clientId, hostOf } from "./ids.ts";

const HOSTS: readonly [text: string, host: string][] = [
  ["10.0.0.1", "10.0.0.1"],
  ["255.255.255.255", "255.255.255.255"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["[::FFFF:10.0.0.1]", "10.0.0.1"],
  ["::ffff:a00:1", "10.0.0.1"],
  ["0:0:0:0:0:ffff:0a00:0001", "10.0.0.1"],
  ["::1", "[::1]"],
  ["[::1]", "[::1]"],
  ["::", "[::]"],
  ["2001:DB8::0:1", "[2001:db8::1]"],
  ["2001:db8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]"],
  ["2001:0db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]"],
  ["1:0:0:2:0:0:0:3", "[1:0:0:2::3]"],
  ["1:2:3:4:5:6:0:0", "[1:2:3:4:5:6::]"],
  ["64:ff9b::10.0.0.1", "[64:ff9b::a00:1]"],
  ["fe80::1%eth0", "[fe80::1%eth0]"],
];

for (const [text, host] of HOSTS) {
  test(`${text} is the host ${host}, as ids of clients name it`, () => {
    assert.equal(readHost(text), host);
    assert.equal(hostOf(clientId(`${host}:40123_10.0.0.9:9600#7`)), host);
    assert.equal(readHost(host), host);
  });
}

const OTHERS = [
  "",
  "orders",
  "10.0.0",
  "10.0.0.1.2",
  "10.0.0.256",
  "10.0.0.01",
  "10.0.0.1:9600",
  " 10.0.0.1",
  "[10.0.0.1]",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  "12345::",
  "::g",
  "10.0.0.1::",
  "::10.0.0.1:1",
  "[::1",
  "::1]",
  "fe80::1%",
  "fe80::1%eth0%eth1",
  "::ffff:10.0.0.1%eth0",
  `::1%${"e".repeat(200)}`,
];

for (const text of OTHERS) {
  test(`${JSON.stringify(text.slice(0, 40))} is refused`, () => {
    const refusal = readHost(text);
    assert.ok(refusal instanceof RegistryError && refusal.code === "FIELD_INVALID");
  });
}
