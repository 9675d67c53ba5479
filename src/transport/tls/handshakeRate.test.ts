import assert from "node:assert/strict";
import { test } from "node:test";
import { HANDSHAKE_LIMITS, HandshakeRate } from "./handshakeRate.ts";

const { atOnceMax, perSecondMax } = HANDSHAKE_LIMITS;

/** The handshakes that this host begins now, of many that it wants. */
function begun(rate: HandshakeRate, host: string, nowMs: number): number {
  let count = 0;
  for (let wanted = 0; wanted < 2 * atOnceMax; wanted++) if (rate.begin(host, nowMs)) count++;
  return count;
}

test("a host begins many handshakes at once, then so many a second, and never more than that at once", () => {
  const rate = new HandshakeRate(HANDSHAKE_LIMITS);
  assert.equal(begun(rate, "10.0.0.1", 1_000), atOnceMax);
  assert.equal(begun(rate, "10.0.0.1", 1_000), 0);
  assert.equal(begun(rate, "10.0.0.1", 2_000), perSecondMax);
  assert.equal(begun(rate, "10.0.0.1", 2_500), perSecondMax / 2);
  assert.equal(begun(rate, "10.0.0.1", 1_000_000), atOnceMax);
});

test("hosts do not take handshakes from each other, and a clock that stands still gives none", () => {
  const rate = new HandshakeRate(HANDSHAKE_LIMITS);
  begun(rate, "10.0.0.1", 1_000);
  assert.equal(begun(rate, "10.0.0.2", 1_000), atOnceMax);
  assert.equal(begun(rate, "10.0.0.1", 500), 0);
});

test("of very many hosts the one that came longest ago is forgotten", () => {
  const rate = new HandshakeRate(HANDSHAKE_LIMITS);
  begun(rate, "first", 1_000);
  for (let host = 0; host < 10_000; host++) rate.begin(`host-${host}`, 1_000);
  assert.equal(begun(rate, "first", 1_000), atOnceMax);
  assert.equal(begun(rate, "host-9999", 1_000), atOnceMax - 1);
});

test("the addresses of a network of IPv6 count as one, at whichever ports", () => {
  const rate = new HandshakeRate({ atOnceMax: 2, perSecondMax: 1 });
  const addresses = ["[2001:db8::1]:50001", "[2001:db8::2]:50001", "[2001:db8::3]:50002", "[2001:db8:0:1::1]:50001"];
  assert.deepEqual(
    addresses.map((address) => rate.begin(address, 1_000)),
    [true, true, false, true],
  );
});
