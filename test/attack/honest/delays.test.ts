import assert from "node:assert/strict";
import { test } from "node:test";
import { Delays } from "./delays.ts";

function delays(): Delays {
  const made = new Delays();
  for (const client of ["a", "b"]) made.subscribed(`${client}-sub`, "orders");
  made.measureFrom(0);
  return made;
}

function call(version: number, t: number) {
  const row = { client: "p", registration: "p-pub", service: "orders", token: `p-pub~${version}` };
  return { kind: "call", t, version, ...row } as const;
}

function push(client: string, tokens: readonly string[], t: number) {
  return { kind: "push", t, client, subscription: `${client}-sub`, connection: 1, version: "1", tokens } as const;
}

test("the way of a change counts for each subscriber", () => {
  const some = delays();
  some.see(call(1, 100));
  some.see(push("a", ["p-pub~1"], 110));
  assert.equal(some.isAllShown(), false);
  some.see(push("b", ["p-pub~1"], 130));
  assert.equal(some.isAllShown(), true);
  assert.deepEqual(some.summary(1_000), { samples: 2, p50Ms: 10, p99Ms: 30, maxMs: 30 });
});

test("a change that was overtaken is shown with the one that came after it", () => {
  const some = delays();
  some.see(call(1, 100));
  some.see(call(2, 150));
  for (const client of ["a", "b"]) some.see(push(client, ["p-pub~2"], 160));
  assert.deepEqual(some.summary(1_000), { samples: 4, p50Ms: 10, p99Ms: 60, maxMs: 60 });
});

test("a change that was never shown counts as long as it waits, and one before the attack not at all", () => {
  const some = delays();
  some.see(call(1, 100));
  some.measureFrom(200);
  some.see(call(2, 300));
  some.see(push("a", ["p-pub~2"], 310));
  assert.deepEqual(some.summary(5_300), { samples: 2, p50Ms: 10, p99Ms: 5_000, maxMs: 5_000 });
});

test("a registration is listed until the last subscriber is without it", () => {
  const some = delays();
  for (const client of ["a", "b"]) some.see(push(client, ["p-pub~1"], 10));
  assert.equal(some.isShown("orders", "p-pub"), true);
  some.see(push("a", [], 20));
  assert.equal(some.isShown("orders", "p-pub"), false);
  assert.equal(some.isListed("orders", "p-pub"), true);
  some.see(push("b", [], 20));
  assert.equal(some.isListed("orders", "p-pub"), false);
});
