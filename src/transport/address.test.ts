import assert from "node:assert/strict";
import { test } from "node:test";
import { joinAddress, parseAddress } from "./address.ts";

const ADDRESSES: readonly [text: string, parts: ReturnType<typeof parseAddress>][] = [
  ["10.0.0.1:9620", { host: "10.0.0.1", port: 9620 }],
  ["meta-1.example.org:1", { host: "meta-1.example.org", port: 1 }],
  ["[::1]:9620", { host: "::1", port: 9620 }],
  ["[fe80::1%eth0]:9620", { host: "fe80::1%eth0", port: 9620 }],
  ["::1:9620", undefined],
  ["10.0.0.1", undefined],
  ["10.0.0.1:0", undefined],
  ["10.0.0.1:65536", undefined],
  [":9620", undefined],
  ["", undefined],
];

for (const [text, parts] of ADDRESSES) {
  test(`${JSON.stringify(text)} is ${parts === undefined ? "no address" : "an address"}`, () => {
    assert.deepEqual(parseAddress(text), parts);
  });
}

test("host and port are joined so that they can be parted again", () => {
  for (const host of ["10.0.0.1", "::1", "meta-1"]) {
    assert.deepEqual(parseAddress(joinAddress(host, 9620)), { host, port: 9620 });
  }
  assert.equal(joinAddress("[::1]", 1), "[::1]:1");
  assert.equal(joinAddress("::ffff:10.0.0.1", 1), "10.0.0.1:1");
});
