import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../model/ids.ts";
import { LocalLease } from "./localLease.ts";

const A = { holder: nodeId("meta-1.a"), address: "a:1" };
const B = { holder: nodeId("meta-2.a"), address: "b:1" };

/** A lease by a clock that the test moves, and the epochs that were stored for it. */
function scene() {
  const clock = { nowMs: 1_000 };
  const lease = new LocalLease(() => clock.nowMs);
  let epoch = 0n;
  const acquire = (who: typeof A, leaseMs = 100) => lease.acquire(who, leaseMs, () => ++epoch);
  return { clock, lease, acquire };
}

test("a lease is in force until its time is over, and is free in that moment", () => {
  const { clock, lease, acquire } = scene();
  acquire(A);
  clock.nowMs += 99;
  assert.deepEqual([lease.isInForce(1n), acquire(B)], [true, { ...A, epoch: 1n, remainingMs: 1 }]);
  clock.nowMs += 1;
  assert.equal(lease.isInForce(1n), false);
  assert.deepEqual(acquire(B), { ...B, epoch: 2n, remainingMs: 100 });
  assert.deepEqual([lease.isInForce(1n), lease.isInForce(2n)], [false, true]);
});

test("only its holder renews it, under the same epoch, to a new time and address", () => {
  const { clock, acquire } = scene();
  acquire(A);
  clock.nowMs += 50;
  const moved = { ...A, address: "a:2" };
  assert.deepEqual(acquire(moved), { ...moved, epoch: 1n, remainingMs: 100 });
  assert.deepEqual(acquire(B), { ...moved, epoch: 1n, remainingMs: 100 });
});

test("who takes it again after its end has another epoch", () => {
  const { clock, acquire } = scene();
  acquire(A);
  clock.nowMs += 100;
  assert.equal(acquire(A).epoch, 2n);
});

test("it is let go by its epoch and no other", () => {
  const { lease, acquire } = scene();
  acquire(A);
  lease.release(2n);
  assert.ok(lease.isInForce(1n));
  lease.release(1n);
  assert.ok(!lease.isInForce(1n));
  assert.equal(acquire(B).epoch, 2n);
});

test("a lease of no time is a bug", () => {
  assert.throws(() => scene().acquire(A, 0), /a lease has a time/);
});
