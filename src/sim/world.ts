// One world from one seed: servers, applications, network and faults on virtual time, and the checkers that watch.
// First traffic with faults, then everything heals, then quiet, then the last look.

import type { NodeId } from "../model/ids.ts";
import { AccessOperator } from "./apps/accessOperator.ts";
import { AddressAskers } from "./apps/addressAskers.ts";
import { CatalogueAskers } from "./apps/catalogueAskers.ts";
import { Deployments } from "./apps/deployments.ts";
import { HttpClients } from "./apps/httpClients.ts";
import { LeadOperator } from "./apps/leadOperator.ts";
import { LeaseClients } from "./apps/leaseClients.ts";
import { Operator } from "./apps/operator.ts";
import { PersistentClients } from "./apps/persistentClients.ts";
import { Pollers } from "./apps/pollers.ts";
import { RuleOperator } from "./apps/ruleOperator.ts";
import { SlotOperator } from "./apps/slotOperator.ts";
import { SurveyAskers } from "./apps/surveyAskers.ts";
import { Workload } from "./apps/workload.ts";
import type { Finding } from "./checkers/checker.ts";
import { Judge } from "./checkers/judge.ts";
import { Cluster } from "./cluster/cluster.ts";
import type { SimEnvironment } from "./cluster/environment.ts";
import { drawClusterPlan } from "./drawClusterPlan.ts";
import { drawPlan } from "./drawPlan.ts";
import { drawTightPlan } from "./drawTightPlan.ts";
import { EventLog } from "./eventLog.ts";
import type { Fact } from "./facts.ts";
import { AimedFaults } from "./faults/aimedFaults.ts";
import { ClientFaults } from "./faults/clientFaults.ts";
import { ClusterFaults } from "./faults/clusterFaults.ts";
import { ServerFaults } from "./faults/serverFaults.ts";
import { COMPARE_MS, emptyMs, HEAL_MS, leaveMs, quietMs, STILL_MS } from "./patience.ts";
import type { Plan } from "./plan.ts";
import { Dice } from "./random.ts";
import { Scheduler } from "./scheduler.ts";

/** The end of a run of one seed. */
export interface RunResult {
  readonly seed: number;
  readonly plan: Plan;
  readonly finding: Finding | undefined;
  /** Milliseconds since the world began. */
  readonly endMs: number;
  readonly log: EventLog;
}

/** The worlds from which a seed is drawn: tight ones, clusters, or else small ones. */
export interface WorldKind {
  readonly isCluster: boolean;
  readonly isTight?: boolean;
}

/** Runs one seed; the same seed gives the same run, event by event. */
export function runSeed(seed: number, options: WorldKind): RunResult {
  const dice = new Dice(seed);
  const plan = drawOf(options)(dice.fork());
  const scheduler = new Scheduler(plan.startMs);
  const log = new EventLog();
  const judge = new Judge(plan);
  const watchers: ((fact: Fact) => void)[] = [];
  const record = (fact: Fact) => {
    log.add(fact, scheduler.nowMs - plan.startMs);
    judge.see(fact, scheduler.nowMs);
    for (const see of watchers) see(fact);
  };
  const part = (): SimEnvironment => ({ plan, scheduler, dice: dice.fork(), record });
  const cluster = new Cluster(part());
  const workload = new Workload(part(), cluster);
  const clientFaults = new ClientFaults(part(), workload);
  const faults =
    plan.topology === "cluster"
      ? new ClusterFaults(part(), cluster, workload)
      : new ServerFaults(part(), cluster, workload);
  if (faults instanceof ClusterFaults) watchers.push((fact) => faults.see(fact));
  const operator = new Operator(part(), cluster, workload);
  const aimed = new AimedFaults(part(), cluster, workload);
  watchers.push((fact) => aimed.see(fact));
  const pollers = new Pollers(part(), cluster);
  const catalogueAskers = new CatalogueAskers(part(), cluster);
  const addressAskers = new AddressAskers(part(), cluster, workload.apps);
  const deployments = new Deployments(part(), cluster, workload);
  watchers.push((fact) => deployments.see(fact));
  const surveyAskers = new SurveyAskers(part(), cluster, workload.apps);
  const operators = operatorsOf(part, cluster, workload);
  const others = othersOf(part, cluster);
  const askers = [pollers, catalogueAskers, addressAskers, deployments, surveyAskers, ...others];
  cluster.start();
  workload.start();
  for (const each of askers) each.start();
  clientFaults.start();
  faults.start();
  operator.start();
  for (const each of operators) each.start();

  const isOver = () => judge.finding !== undefined;
  const run = (durationMs: number) => scheduler.run(scheduler.nowMs + durationMs, isOver);
  run(plan.trafficMs);
  workload.stop();
  operator.stop();
  deployments.stop();
  for (const each of [...others, ...operators]) each.stop();
  clientFaults.stop();
  aimed.stop();
  faults.stop();
  run(HEAL_MS);
  clientFaults.stop();
  record({ kind: "healed" });
  run(quietMs(plan));
  if (plan.hasLeaving && !isOver()) letOneLeave(cluster, record);
  run(plan.hasLeaving ? leaveMs(plan) : 0);
  if (!isOver()) compareFollowers(cluster, record);
  for (const each of askers) each.last();
  run(COMPARE_MS);
  if (!isOver()) tellUnfinished(cluster, { record, run });
  if (!isOver()) record({ kind: "over", live: liveClients(workload), configs: cluster.store.state.configs });
  catalogueAskers.stop();
  if (plan.endsEmpty === true && !isOver()) letAllLeave(plan, { cluster, workload, record, run, isOver });
  return { seed, plan, finding: judge.finding, endMs: scheduler.nowMs - plan.startMs, log };
}

/** Operators of rules, slots and the lead. */
function operatorsOf(part: () => SimEnvironment, cluster: Cluster, workload: Workload) {
  return [
    new RuleOperator(part(), cluster, workload),
    new SlotOperator(part(), cluster),
    new LeadOperator(part(), cluster),
  ];
}

/**
 * Clients without connections, those of Eureka among them, and operators of identities and policies with the programs
 * that they are about.
 */
function othersOf(part: () => SimEnvironment, cluster: Cluster) {
  return [
    new LeaseClients(part(), cluster),
    new PersistentClients(part(), cluster),
    new AccessOperator(part(), cluster),
    new HttpClients(part(), cluster),
  ];
}

function drawOf({ isCluster, isTight = false }: WorldKind): (dice: Dice) => Plan {
  if (isTight) return drawTightPlan;
  return isCluster ? drawClusterPlan : drawPlan;
}

/** With all well again, a data node is told to stop: it hands its slots over first. */
function letOneLeave(cluster: Cluster, record: (fact: Fact) => void): void {
  const datas = cluster.nodesOf("data").filter((one) => !cluster.isCopy(one));
  const [node] = datas;
  const id = node?.process?.id;
  if (node === undefined || id === undefined || datas.length < 2) return;
  node.stopInOrder((slotsKept) => record({ kind: "left", node: id, slotsKept }));
}

/** Followers that lost the link to their leader compare everything that they hold with it: nothing may differ. */
function compareFollowers(cluster: Cluster, record: (fact: Fact) => void): void {
  record({ kind: "compared" });
  const datas = cluster.nodesOf("data").filter((node) => !cluster.isCopy(node));
  for (const [at, one] of datas.entries()) {
    for (const other of datas.slice(at + 1)) cluster.reset(one.machine, other.machine);
  }
}

interface Last {
  readonly record: (fact: Fact) => void;
  readonly run: (durationMs: number) => void;
}

/** Records everything that waits at two moments further apart than any message takes. */
function tellUnfinished(cluster: Cluster, { record, run }: Last): void {
  const before = tellAll(cluster, (role) => role.unfinished());
  run(STILL_MS);
  for (const { node, what } of tellAll(cluster, (role) => role.unfinished())) {
    if (before.some((one) => one.node === node && one.what === what)) record({ kind: "unfinished", node, what });
  }
}

/** All clients go, and after the last removal is forgotten nothing of them is left anywhere. */
function letAllLeave(
  plan: Plan,
  { cluster, workload, record, run, isOver }: Last & { cluster: Cluster; workload: Workload; isOver: () => boolean },
): void {
  workload.leave();
  run(emptyMs(plan));
  compareFollowers(cluster, record);
  run(COMPARE_MS);
  if (isOver()) return;
  for (const { node, what } of tellAll(cluster, (role) => role.leftovers())) {
    record({ kind: "unfinished", node, what: `${what}, and there is no client any more` });
  }
}

interface Tells {
  unfinished(): Iterable<string>;
  leftovers(): Iterable<string>;
}

function tellAll(
  { nodes }: Cluster,
  tell: (role: Tells) => Iterable<string>,
): { readonly node: NodeId; readonly what: string }[] {
  return nodes.flatMap(({ process, meta, data, session }) => {
    if (process === undefined) return [];
    const words = [meta, data, session].flatMap((role) => (role === undefined ? [] : [...tell(role)]));
    return words.map((what) => ({ node: process.id, what }));
  });
}

function liveClients({ apps }: Workload): (Fact & { kind: "over" })["live"] {
  return apps
    .filter((app) => !app.isDead)
    .map(({ name, isConnected, undone, heldByOthers }) => ({ client: name, isConnected, undone, heldByOthers }));
}
