import assert from "node:assert/strict";
import { test } from "node:test";
import type { Probe } from "../base/probes.ts";
import { ProbeRules } from "./probeRules.ts";

const open = new ProbeRules({ activeChecks: true, activeCheckAddresses: [] });
const tcp = (host: string): Probe => ({ kind: "tcp", host, port: 80 });

const NEVER = [
  ...["169.254.169.254", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "100.100.100.200", "192.0.0.192"],
  ...["168.63.129.16", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "ff02::1", "::", "::ffff:169.254.169.254"],
  ...["64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254"],
];

for (const address of NEVER) {
  test(`${address} is never looked at`, () => {
    const named = new ProbeRules({ activeChecks: true, activeCheckAddresses: ["0.0.0.0/0", "[::]/0"] });
    assert.equal(open.allows(address), false);
    assert.equal(named.allows(address), false);
  });
}

test("the node itself is looked at only if that is configured", () => {
  const own = new ProbeRules({ activeChecks: true, activeCheckAddresses: ["127.0.0.0/8", "[::1]/128"] });
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    assert.equal(open.allows(address), false, address);
    assert.equal(own.allows(address), true, address);
  }
});

test("services are looked at wherever they are, or only in the blocks that are named", () => {
  const some = new ProbeRules({ activeChecks: true, activeCheckAddresses: ["10.1.0.0/16", "192.168.0.7"] });
  for (const address of ["10.1.2.3", "192.168.0.7", "8.8.8.8", "2001:db8::1"]) assert.equal(open.allows(address), true);
  assert.deepEqual(
    ["10.1.2.3", "192.168.0.7"].map((address) => some.allows(address)),
    [true, true],
  );
  assert.deepEqual(
    ["10.2.2.3", "192.168.0.8", "2001:db8::1"].map((address) => some.allows(address)),
    [false, false, false],
  );
});

test("a denial is known before a name is looked up", () => {
  const off = new ProbeRules({ activeChecks: false, activeCheckAddresses: [] });
  assert.equal(off.denial(tcp("10.0.0.1")), "off");
  assert.equal(off.allows("10.0.0.1"), false);
  assert.equal(open.denial(tcp("169.254.169.254")), "address");
  assert.equal(open.denial(tcp("orders.shop")), undefined);
  assert.equal(open.denial(tcp("10.0.0.1")), undefined);
});

test("numbers that some systems read as addresses are no addresses", () => {
  for (const address of ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost"]) {
    assert.equal(open.allows(address), false, address);
  }
});
