import assert from "node:assert/strict";
import { test } from "node:test";
import { drawClusterPlan } from "../drawClusterPlan.ts";
import type { Fact, Role } from "../facts.ts";
import type { Way } from "../network/nodeNetwork.ts";
import { Dice } from "../random.ts";
import { Scheduler } from "../scheduler.ts";
import { Cluster } from "./cluster.ts";

const NODES = { m1: "meta", m2: "meta", m3: "meta", d1: "data", s1: "session", s2: "session" } as const;

/** The sessions that may not be members when these ways are cut. */
function outside(cut: (cluster: Cluster) => void): string[] {
  const facts: Fact[] = [];
  const nodes = Object.entries(NODES).map(([machine, role]) => ({ machine, roles: [role as Role] }));
  const plan = { ...drawClusterPlan(new Dice(1)), nodes };
  const record = (fact: Fact) => void facts.push(fact);
  cut(new Cluster({ plan, scheduler: new Scheduler(0), dice: new Dice(1), record }));
  return facts.flatMap((fact) => (fact.kind === "outside" ? [fact.machine] : []));
}

const both = (one: string, other: string): Way[] => [
  { from: one, to: other },
  { from: other, to: one },
];

test("who loses touch with meta nodes that others reach may be no member; those that nobody reaches are alone", () => {
  const apart = (...groups: readonly string[][]) => outside((cluster) => void cluster.partition(groups));
  assert.deepEqual(apart(["m1", "m2", "m3"], ["d1", "s1", "s2"]), []);
  assert.deepEqual(apart(["m1"], ["m2", "m3", "d1", "s1", "s2"]), []);
  assert.deepEqual(apart(["s1"], ["m1", "m2", "m3", "d1", "s2"]), ["s1"]);
  assert.deepEqual(apart(["m1", "s1"], ["m2", "m3", "d1", "s2"]).sort(), ["s1", "s2"]);
  const ring = [...both("d1", "m1"), ...both("s1", "m2"), ...both("s2", "m3")];
  assert.deepEqual(outside((cluster) => void cluster.block(ring, "ring")).sort(), ["s1", "s2"]);
});
