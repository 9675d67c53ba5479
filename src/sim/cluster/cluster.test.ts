import assert from "node:assert/strict";
import { test } from "node:test";
import { drawClusterPlan } from "../drawClusterPlan.ts";
import type { Fact, Role } from "../facts.ts";
import type { Way } from "../network/machineNetwork.ts";
import { Dice } from "../random.ts";
import { Scheduler } from "../scheduler.ts";
import { Cluster } from "./cluster.ts";

const NODES = { m1: "meta", m2: "meta", m3: "meta", d1: "data", s1: "session", s2: "session" } as const;

function clusterOf(record: (fact: Fact) => void): Cluster {
  const nodes = Object.entries(NODES).map(([machine, role]) => ({ machine, roles: [role as Role] }));
  const plan = { ...drawClusterPlan(new Dice(1)), nodes };
  return new Cluster({ plan, scheduler: new Scheduler(0), dice: new Dice(1), record });
}

/** The sessions that may not be members when these ways are cut. */
function outside(cut: (cluster: Cluster) => void): string[] {
  const facts: Fact[] = [];
  cut(clusterOf((fact) => void facts.push(fact)));
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

test("a second process on a copied data directory is on its original's side of a cut", () => {
  const cluster = clusterOf(() => undefined);
  const [original] = cluster.nodesOf("data");
  const open = cluster.partition([["m1"], ["m2", "m3", "d1", "s1", "s2"]]);
  assert.ok(original !== undefined);
  const { machine } = cluster.startCopy(original);
  const isCut = () => [cluster.network.isBlocked("m1", machine), cluster.network.isBlocked(machine, "m1")];
  assert.deepEqual([isCut(), cluster.network.isBlocked(machine, "m2")], [[true, true], false]);
  open();
  assert.deepEqual(isCut(), [false, false]);
});
