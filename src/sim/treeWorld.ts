// One world from one seed in which the nodes serve the ordered tree too. The code that keeps the tree awaits promises,
// so this world runs in turns (./cluster/turns.ts). Otherwise it goes as ./world.ts does: traffic with faults, then
// everything heals, then quiet, then the last look.

import { LeadOperator } from "./apps/leadOperator.ts";
import { repeatAtRandom } from "./apps/repeatAtRandom.ts";
import { TreeClients } from "./apps/tree/treeClients.ts";
import { Workload } from "./apps/workload.ts";
import { Judge } from "./checkers/judge.ts";
import { Cluster } from "./cluster/cluster.ts";
import { bug, type SimEnvironment } from "./cluster/environment.ts";
import { storedTree, wordsOfTree } from "./cluster/heldTree.ts";
import { STORE } from "./cluster/store.ts";
import { type Settle, Turns } from "./cluster/turns.ts";
import { drawTreePlan } from "./drawTreePlan.ts";
import { EventLog } from "./eventLog.ts";
import type { Fact } from "./facts.ts";
import { ClusterFaults } from "./faults/clusterFaults.ts";
import { TreeFaults } from "./faults/treeFaults.ts";
import { COMPARE_MS, HEAL_MS, treeQuietMs } from "./patience.ts";
import type { Plan } from "./plan.ts";
import { Dice } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import type { RunResult } from "./world.ts";

// The store tells other nodes of a commit, and loses some of these words.
const WAKE_MS = 40;
const WAKE_LOST_CHANCE = 0.1;
const LEFT_MS = 2_000;
const COMPACT_MS = 4_000;
const STALLS_CHANCE = 0.4;

/** Runs one seed; the same seed gives the same run, event by event. */
export async function runTreeSeed(seed: number, settle: Settle): Promise<RunResult> {
  const world = new TreeWorld(seed, settle);
  await world.run();
  return world.result;
}

class TreeWorld {
  readonly #seed: number;
  readonly #plan: Plan;
  readonly #dice: Dice;
  readonly #scheduler: Scheduler;
  readonly #log = new EventLog();
  readonly #judge: Judge;
  readonly #turns: Turns;
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  readonly #faults: ClusterFaults;
  readonly #treeFaults: TreeFaults;
  readonly #operator: LeadOperator;
  readonly #clients: TreeClients;

  constructor(seed: number, settle: Settle) {
    this.#seed = seed;
    this.#dice = new Dice(seed);
    this.#plan = drawTreePlan(this.#dice.fork());
    this.#scheduler = new Scheduler(this.#plan.startMs);
    this.#judge = new Judge(this.#plan);
    this.#turns = new Turns(settle, ({ machine }, error) => bug(this.#part(), machine, error));
    this.#cluster = new Cluster(this.#part());
    this.#workload = new Workload(this.#part(), this.#cluster);
    this.#faults = new ClusterFaults(this.#part(), this.#cluster, this.#workload);
    this.#treeFaults = new TreeFaults(this.#part(), this.#cluster);
    this.#operator = new LeadOperator(this.#part(), this.#cluster);
    this.#clients = new TreeClients(this.#part(), this.#cluster);
  }

  get result(): RunResult {
    const { finding } = this.#judge;
    const endMs = this.#scheduler.nowMs - this.#plan.startMs;
    return { seed: this.#seed, plan: this.#plan, finding, endMs, log: this.#log };
  }

  async run(): Promise<void> {
    this.#cluster.start();
    this.#workload.start();
    this.#clients.start(this.#plan.treeClients ?? 0);
    this.#faults.start();
    if (this.#dice.chance(STALLS_CHANCE)) this.#treeFaults.start();
    this.#operator.start();
    const isOver = () => this.#scheduler.nowMs > this.#plan.startMs + this.#plan.trafficMs;
    repeatAtRandom(this.#part(), COMPACT_MS, () => this.#cluster.store.compact(), isOver);
    await this.#pass(this.#plan.trafficMs);
    this.#workload.stop();
    this.#clients.stop();
    this.#operator.stop();
    this.#treeFaults.stop();
    this.#faults.stop();
    await this.#pass(HEAL_MS);
    this.#record({ kind: "healed" });
    await this.#pass(treeQuietMs(this.#plan));
    await this.#pass(COMPARE_MS);
    if (this.#judge.finding !== undefined) return;
    this.#clients.last();
    this.#tellTrees();
    this.#record({ kind: "over", live: [], configs: this.#cluster.store.state.configs });
    this.#clients.leave();
    await this.#pass(LEFT_MS);
    if (this.#judge.finding === undefined) this.#tellLeftovers();
  }

  #part(): SimEnvironment {
    const { turns } = { turns: this.#turns };
    const record = (fact: Fact) => this.#record(fact);
    return { plan: this.#plan, scheduler: this.#scheduler, dice: this.#dice.fork(), record, turns };
  }

  #record(fact: Fact): void {
    this.#log.add(fact, this.#scheduler.nowMs - this.#plan.startMs);
    this.#judge.see(fact, this.#scheduler.nowMs);
    this.#faults.see(fact);
    if (fact.kind === "treeCommitted") this.#wakeAll();
  }

  #pass(durationMs: number): Promise<void> {
    const isOver = () => this.#judge.finding !== undefined;
    return this.#scheduler.runSettled(this.#scheduler.nowMs + durationMs, isOver, () => this.#turns.run());
  }

  #wakeAll(): void {
    const { network } = this.#cluster;
    for (const { machine, session } of this.#cluster.nodesOf("session")) {
      if (this.#dice.chance(WAKE_LOST_CHANCE) || network.isBlocked(STORE, machine)) continue;
      this.#scheduler.after(this.#dice.below(WAKE_MS), () => session?.tree?.wake());
    }
  }

  /** Each copy has exactly the content of the store. */
  #tellTrees(): void {
    const stored = wordsOfTree(storedTree(this.#cluster.store));
    for (const { session, process } of this.#cluster.nodesOf("session")) {
      if (session?.tree === undefined || process === undefined) continue;
      this.#record({ kind: "treeHeld", node: process.id, held: wordsOfTree(session.tree.tree), stored });
    }
  }

  #tellLeftovers(): void {
    for (const { session, process } of this.#cluster.nodesOf("session")) {
      if (process === undefined) continue;
      for (const what of session?.tree?.leftovers() ?? []) this.#record({ kind: "unfinished", node: process.id, what });
    }
  }
}
