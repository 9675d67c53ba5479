// A lane: one cluster on a network of its own, and scenarios one after the other on it. It is a process of its own,
// inside the network, so that lanes do not wait for each other and what they do ends with them.

import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type ClientHost, Fleet } from "./clients/fleet.ts";
import { startJavaClients } from "./clients/javaClients.ts";
import { JAVA_HOST, Workload } from "./clients/workload.ts";
import { Cluster, DATAS, METAS, NODES, SESSIONS } from "./cluster/cluster.ts";
import { BOLT_PORT, NODE_PORT } from "./cluster/nodeProcess.ts";
import { Store } from "./cluster/store.ts";
import { STORE_HOST, STORE_PORTS, type StoreKind } from "./cluster/storeHost.ts";
import { type HistoryEvent, monotonicMs } from "./history/event.ts";
import { judge } from "./history/judge.ts";
import { Network } from "./net/network.ts";
import { Relays, type RelayTarget } from "./net/relays.ts";
import type { ScenarioResult } from "./result.ts";
import { findScenario, type Scenario } from "./scenarios/all.ts";
import { ms, Stage } from "./stage.ts";

export interface LaneOptions {
  readonly storeKind: StoreKind;
  /** All connections go through relays, so that they can be made late. */
  readonly hasRelays: boolean;
  readonly prefix: string;
  readonly subnet: number;
  readonly dir: string;
  readonly isFull: boolean;
  readonly netemMissing: string | undefined;
  /** For all nodes, beside their flags. */
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined where there is no Java. */
  readonly javaClassPath: string | undefined;
}

/** Where the lane's own process runs. */
export const CONTROL_HOST = "control";
const HOSTS = [...NODES, STORE_HOST, "client1", "client2", "client3", JAVA_HOST, CONTROL_HOST];

/** The network of a lane, which is made before the lane's process, so that this can be started inside. */
export function createLaneNetwork({ prefix, subnet }: Pick<LaneOptions, "prefix" | "subnet">): Promise<Network> {
  return Network.create({ prefix, subnet, hosts: HOSTS });
}

/** Where connections go that can be made late. */
const RELAYED: readonly RelayTarget[] = [
  ...[...METAS, ...DATAS].map((host) => ({ host, port: NODE_PORT })),
  ...SESSIONS.map((host) => ({ host, port: BOLT_PORT })),
  { host: STORE_HOST, port: STORE_PORTS.postgres },
];
const RELAYING = [...NODES, "client1", "client2", "client3"];

// Up to 36 nodes of several lanes start at the same time.
const START_MS = 180_000;
const HEAL_MS = 60_000;
const REST_MS = 30_000;
// How long the cluster is watched after it has come to rest: whatever is late shows then.
const WATCH_MS = 1_500;

export class Lane {
  readonly #options: LaneOptions;
  readonly #network: Network;
  #store: Store | undefined;
  #cluster: Cluster | undefined;
  #clusters = 0;
  #relays: Relays | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#network = Network.existing({ ...options, hosts: HOSTS });
  }

  async run(name: string): Promise<ScenarioResult> {
    const scenario = findScenario(name);
    const startMs = performance.now();
    const dir = join(this.#options.dir, scenario.name);
    mkdirSync(dir, { recursive: true });
    const trial = new Trial(scenario, dir);
    try {
      const { cluster, store } = await this.#wholeCluster();
      await trial.play({ ...this.#options, network: this.#network, cluster, store, relays: this.#relays });
    } catch (error) {
      trial.broken(error);
    }
    // Remains of a fault would count against the next scenario.
    if (!trial.isPassed) await this.#dropCluster();
    return { ...trial.result(), seconds: (performance.now() - startMs) / 1_000, logs: this.#logs() };
  }

  async close(): Promise<void> {
    await this.#dropCluster();
    await this.#store?.close();
  }

  #logs(): string {
    return this.#options.dir;
  }

  async #wholeCluster(): Promise<{ cluster: Cluster; store: Store }> {
    this.#store ??= await this.#startStore();
    if (this.#options.hasRelays) this.#relays ??= await Relays.start(this.#network, RELAYING, RELAYED);
    if (this.#cluster !== undefined && !(await this.#cluster.untilWhole(HEAL_MS))) {
      const missing = await this.#cluster.missing();
      await this.#dropCluster();
      throw new Error(`the cluster did not become whole after the scenario before: ${missing}`);
    }
    this.#cluster ??= await this.#startCluster(this.#store);
    return { cluster: this.#cluster, store: this.#store };
  }

  async #startStore(): Promise<Store> {
    const dir = join(this.#options.dir, "store");
    mkdirSync(dir, { recursive: true });
    // PostgreSQL refuses to run as root, and its user has to get there.
    for (const folder of [this.#options.dir, dir]) chmodSync(folder, 0o755);
    return Store.start(this.#options.storeKind, this.#network, STORE_HOST, dir);
  }

  async #startCluster(store: Store): Promise<Cluster> {
    this.#clusters++;
    const storeUrl = await store.createDatabase(`roster${this.#clusters}`);
    const dir = join(this.#options.dir, `cluster${this.#clusters}`);
    const cluster = new Cluster({ network: this.#network, storeUrl, dir, environment: this.#options.environment });
    this.#cluster = cluster;
    await cluster.start();
    if (!(await cluster.untilWhole(START_MS))) {
      throw new Error(`the cluster did not become whole within ${ms(START_MS)}: ${await cluster.missing()}`);
    }
    return cluster;
  }

  async #dropCluster(): Promise<void> {
    await this.#network.heal();
    await this.#cluster?.close();
    this.#cluster = undefined;
  }
}

interface TrialHost extends LaneOptions {
  readonly network: Network;
  readonly cluster: Cluster;
  readonly store: Store;
  readonly relays: Relays | undefined;
}

/** One scenario as it is played and judged. */
class Trial {
  readonly #scenario: Scenario;
  readonly #dir: string;
  #stage: Stage | undefined;
  #findings: readonly string[] = [];
  #broken: string | undefined;

  constructor(scenario: Scenario, dir: string) {
    this.#scenario = scenario;
    this.#dir = dir;
  }

  get isPassed(): boolean {
    return this.#broken === undefined && this.#findings.length === 0 && (this.#stage?.failures.length ?? 0) === 0;
  }

  async play(host: TrialHost): Promise<void> {
    const { cluster, network } = host;
    const fleet = new Fleet({ network, sessions: cluster.sessions, dir: this.#dir });
    try {
      const { name: tag, workload: size, hasJava = false } = this.#scenario;
      const startJava = hasJava ? javaStarter(host, this.#dir, (event) => fleet.record(event)) : undefined;
      const workload = await Workload.start({ fleet, cluster, tag, ...size, startJava });
      const stage = new Stage({ ...host, fleet, workload, dir: this.#dir });
      this.#stage = stage;
      await this.#rest(stage, "before the fault");
      await this.#playOut(stage);
      this.#findings = judge(fleet.history(), stage.absences).map(
        ({ rule, t, text }) => `${rule}, ${ms(t - stage.firstActMs)} after the fault: ${text}`,
      );
    } finally {
      await this.#stage?.stopChurn();
      await fleet.close();
    }
  }

  broken(error: unknown): void {
    this.#broken = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }

  result(): Omit<ScenarioResult, "seconds" | "logs"> {
    const { name, about } = this.#scenario;
    const failures = [...(this.#broken === undefined ? [] : [this.#broken]), ...(this.#stage?.failures ?? [])];
    const { times = {}, notes = [] } = this.#stage ?? {};
    const findings = this.#findings;
    const explanations = this.isPassed ? [] : (this.#stage?.explanations.flatMap((explain) => explain()) ?? []);
    return { name, about, times, notes, failures, findings, explanations, isPassed: this.isPassed };
  }

  /** Its result is judged even if it does not come to its end. */
  async #playOut(stage: Stage): Promise<void> {
    try {
      await this.#scenario.run(stage);
      await this.#settle(stage);
    } catch (error) {
      this.broken(error);
    }
  }

  /** After the last act everything has to come right by itself. */
  async #settle(stage: Stage): Promise<void> {
    await stage.stopChurn();
    await this.#rest(stage, "after the fault");
    if (stage.healedMs !== undefined) stage.times.convergenceMs = lastRightMs(stage) - stage.healedMs;
    await stage.pause(WATCH_MS);
    for (const { ownEnd } of stage.cluster.nodes.values()) if (ownEnd !== undefined) stage.fail(ownEnd);
    for (const node of stage.cluster.nodes.values()) if (!node.isRunning) stage.fail(`${node.name} does not run`);
  }

  async #rest(stage: Stage, when: string): Promise<void> {
    const isAtRest = await stage.fleet.until(() => stage.fleet.difference() === undefined, REST_MS);
    if (isAtRest) return stage.fleet.record({ kind: "converged", t: monotonicMs() });
    throw new Error(`${when} the lists did not come right within ${ms(REST_MS)}: ${stage.fleet.difference()}`);
  }
}

/** How the Java process of a scenario is started; nothing where there is no Java. */
function javaStarter(
  { network, cluster, javaClassPath }: TrialHost,
  dir: string,
  record: (event: HistoryEvent) => void,
): (() => ClientHost) | undefined {
  if (javaClassPath === undefined) return undefined;
  const { sessions } = cluster;
  return () => startJavaClients({ network, host: JAVA_HOST, sessions, classPath: javaClassPath, dir, record });
}

/** When the last subscriber came to show what is right, and the last call was answered. */
function lastRightMs({ fleet, healedMs = 0 }: Stage): number {
  let lastMs = healedMs;
  for (const { shown, client } of fleet.records.subscriptions.values()) {
    if (shown !== undefined && !fleet.records.deaths.has(client)) lastMs = Math.max(lastMs, shown.t);
  }
  for (const { acks } of fleet.records.registrations.values()) lastMs = Math.max(lastMs, acks.at(-1)?.t ?? 0);
  return lastMs;
}
