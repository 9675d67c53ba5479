// One world from one seed: servers, applications, network and faults on virtual time, and the checkers that watch.
// Traffic with faults, then everything heals, then it is quiet, then the last look.

import { Faults } from "./apps/faults.ts";
import { Workload } from "./apps/workload.ts";
import type { Finding } from "./checkers/checker.ts";
import { Judge } from "./checkers/judge.ts";
import { Cluster } from "./cluster/cluster.ts";
import type { SimEnvironment } from "./cluster/environment.ts";
import { EventLog } from "./eventLog.ts";
import type { Fact } from "./facts.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { Dice } from "./random.ts";
import { Scheduler } from "./scheduler.ts";

/** How a run of one seed ended. */
export interface RunResult {
  readonly seed: number;
  readonly plan: Plan;
  readonly finding: Finding | undefined;
  /** Milliseconds since the world began. */
  readonly endMs: number;
  readonly log: EventLog;
}

// The longest that a fault lasts by itself after the last one began: a server's restart, and the links behind it.
const HEAL_MS = 7_000;
// After the longest memory of the servers, so much time to repair: scans, retries, push timeouts.
const REPAIR_MS = 5_000;

/** Runs one seed; the same seed gives the same run, event by event. */
export function runSeed(seed: number, options: { isCluster: boolean }): RunResult {
  const dice = new Dice(seed);
  const plan = drawPlan(dice.fork(), options.isCluster);
  const scheduler = new Scheduler(plan.startMs);
  const log = new EventLog();
  const judge = new Judge(plan);
  const record = (fact: Fact) => {
    log.add(fact, scheduler.nowMs - plan.startMs);
    judge.see(fact, scheduler.nowMs);
  };
  const part = (): SimEnvironment => ({ plan, scheduler, dice: dice.fork(), record });
  const cluster = new Cluster(part());
  const workload = new Workload(part(), cluster);
  const faults = new Faults(part(), cluster, workload);
  cluster.start();
  workload.start();
  faults.start();

  const isOver = () => judge.finding !== undefined;
  scheduler.run(plan.startMs + plan.trafficMs, isOver);
  workload.stop();
  faults.stop();
  scheduler.run(scheduler.nowMs + HEAL_MS, isOver);
  faults.stop();
  record({ kind: "healed" });
  scheduler.run(scheduler.nowMs + quietMs(plan), isOver);
  const living = workload.apps.filter((app) => !app.isDead);
  const live = living.map(({ name, isConnected, undone }) => ({ client: name, isConnected, undone }));
  if (!isOver()) record({ kind: "over", live });
  return { seed, plan, finding: judge.finding, endMs: scheduler.nowMs - plan.startMs, log };
}

function quietMs({ config }: Plan): number {
  const { clientIdleMs, clientReturnGraceMs, restartHoldMs, sessionLeaseMs, versionScanIntervalMs } = config;
  const memoryMs = Math.max(clientIdleMs + clientReturnGraceMs, restartHoldMs, sessionLeaseMs);
  return memoryMs + 2 * versionScanIntervalMs + REPAIR_MS;
}
