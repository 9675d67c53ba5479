import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionShares } from "./connectionShares.ts";

/** The number of accepted connections among `count` from new ports of a host. */
function take(shares: ConnectionShares, host: string, count: number): number {
  let taken = 0;
  for (let port = 1; port <= count; port++) if (shares.take(`${host}:${port}`) === undefined) taken++;
  return taken;
}

test("one address gets half of all connections, and others still get in", () => {
  const shares = new ConnectionShares(() => 1_000);
  assert.equal(take(shares, "10.0.0.9", 1_000), 500);
  assert.equal(shares.take("10.0.0.9:1"), "ADDRESS_CONNECTIONS_EXHAUSTED");
  assert.equal(take(shares, "10.0.0.10", 1_000), 250);
  assert.equal(shares.take("10.0.0.11:1"), undefined);
});

test("a single connection is for whoever comes first", () => {
  const shares = new ConnectionShares(() => 1);
  assert.equal(shares.take("10.0.0.9:1"), undefined);
  assert.equal(shares.take("10.0.0.10:1"), "CONNECTIONS_EXHAUSTED");
});

test("what is released can be taken again", () => {
  const shares = new ConnectionShares(() => 100);
  take(shares, "10.0.0.9", 100);
  for (let port = 1; port <= 50; port++) shares.release(`10.0.0.9:${port}`);
  assert.equal(shares.size, 0);
  assert.equal(take(shares, "10.0.0.9", 100), 50);
});

test("many addresses of one IPv6 network are one", () => {
  const shares = new ConnectionShares(() => 100);
  let taken = 0;
  for (let host = 1; host <= 100; host++) {
    if (shares.take(`[2001:db8:1:2::${host.toString(16)}]:80`) === undefined) taken++;
  }
  assert.equal(taken, 50);
  assert.equal(shares.take("[2001:db8:1:3::1]:80"), undefined);
  assert.equal(shares.take("[::1]:80"), undefined);
});

test("an address is what stands before the port; of IPv6 the first four groups, however they are written", () => {
  const isSameHolder = (a: string, b: string) => {
    const shares = new ConnectionShares(() => 2);
    shares.take(a);
    return shares.take(b) === "ADDRESS_CONNECTIONS_EXHAUSTED";
  };
  assert.deepEqual(
    [isSameHolder("10.0.0.1:1", "10.0.0.1:22"), isSameHolder("10.0.0.1:1", "10.0.0.11:1")],
    [true, false],
  );
  for (const [a, b, isSame] of [
    ["[2001:db8:1:2:3:4:5:6]:1", "[2001:db8:1:2::6]:1", true],
    ["[2001:db8:0:0::1]:1", "[2001:db8::2]:1", true],
    ["[fd00::5:2:3:4:5]:1", "[fd00:0:0:5::9]:1", true],
    ["[fd00::5:2:3:4:5]:1", "[fd00::6:2:3:4:5]:1", false],
    ["[::1]:1", "[::2]:1", true],
    ["[::1]:1", "[1::]:1", false],
    ["[1::]:1", "[1:0:0:0:7::]:1", true],
  ] as const) {
    assert.equal(isSameHolder(a, b), isSame, `${a} and ${b}`);
  }
});

test("what was never taken, or released already, gives no room", () => {
  const shares = new ConnectionShares(() => 10);
  shares.release("10.0.0.1:1");
  shares.take("10.0.0.1:1");
  shares.release("10.0.0.1:1");
  shares.release("10.0.0.1:1");
  assert.equal(shares.size, 0);
  assert.equal(take(shares, "10.0.0.1", 10), 5);
});
