import assert from "node:assert/strict";
import { test } from "node:test";
import { addressGroup, hostGroup } from "./addressGroup.ts";

test("an IPv4 address counts by itself, an IPv6 address by its network", () => {
  const groups = new Map([
    ["10.0.0.7:50001", "10.0.0.7"],
    ["client-1:50001", "client-1"],
    ["[::1]:50001", "[0:0:0:0::]/64"],
    ["[2001:db8::1]:50001", "[2001:db8:0:0::]/64"],
    ["[2001:DB8:0:0:ffff::9]:50001", "[2001:db8:0:0::]/64"],
    ["[2001:db8:0:1:2:3:4:5]:50001", "[2001:db8:0:1::]/64"],
    ["[fe80::1%eth0]:50001", "[fe80:0:0:0::]/64"],
    ["unknown:0", "unknown"],
  ]);
  for (const [address, group] of groups) assert.equal(addressGroup(address), group);
});

test("a host has the group of its connections, and a group is its own", () => {
  for (const host of ["10.0.0.7", "client-1", "[::1]", "[2001:db8::1]", "[fe80::1%eth0]"]) {
    const group = addressGroup(`${host}:50001`);
    assert.equal(hostGroup(host), group);
    assert.equal(hostGroup(group), group);
  }
});
