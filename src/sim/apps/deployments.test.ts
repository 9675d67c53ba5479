import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster } from "../cluster/cluster.ts";
import { drawClusterPlan } from "../drawClusterPlan.ts";
import type { Fact } from "../facts.ts";
import { Dice } from "../random.ts";
import { Scheduler } from "../scheduler.ts";
import { Deployments } from "./deployments.ts";
import { Workload } from "./workload.ts";

const CLIENTS = 3;

/** How often revisions are sent in each of some minutes. */
function sentPerMinute({ minutes, hasMeta }: { minutes: number; hasMeta: boolean }): number[] {
  const nodes = (["meta", "data", "session"] as const).map((role) => ({ machine: role, roles: [role] }));
  const drawn = drawClusterPlan(new Dice(1));
  const plan = { ...drawn, nodes, clients: CLIENTS, applications: 1, operationMs: 10_000, hasStrangers: false };
  const scheduler = new Scheduler(plan.startMs);
  let sent = 0;
  const record = (fact: Fact) => {
    if (fact.kind === "revisionSent") sent++;
  };
  const environment = { plan, scheduler, dice: new Dice(1), record };
  const cluster = new Cluster(environment);
  if (!hasMeta) cluster.partition([["meta"], ["data", "session"]]);
  const workload = new Workload(environment, cluster);
  const deployments = new Deployments(environment, cluster, workload);
  for (const part of [cluster, workload, deployments]) part.start();
  return Array.from({ length: minutes }, () => {
    sent = 0;
    scheduler.run(scheduler.nowMs + 60_000, () => false);
    return sent;
  });
}

test("however long the meta nodes are away, a client repeats four registrations of revisions", () => {
  const everySeconds = 3;
  const perMinuteMax = (CLIENTS * 4 * 60) / everySeconds;
  const sent = sentPerMinute({ minutes: 5, hasMeta: false });
  const last = sent.at(-1) ?? 0;
  assert.ok(last > perMinuteMax / 2 && last <= perMinuteMax * 1.1, `${sent.join(", ")} in a minute each`);
});

test("a registration that was answered is not repeated", () => {
  assert.deepEqual(sentPerMinute({ minutes: 2, hasMeta: true }), [CLIENTS * 4, 0]);
});
