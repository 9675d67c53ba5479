// Plays scenarios on several lanes side by side; those that must be alone come when all others are over.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CONTROL_HOST, createLaneNetwork, type LaneOptions } from "./lane.ts";
import type { LaneAnswer, LaneOrder } from "./laneProcess.ts";
import type { ScenarioResult } from "./result.ts";
import type { Scenario } from "./scenarios/scenario.ts";

const LANE_PROGRAM = join(import.meta.dirname, "laneProcess.ts");

export interface LanesOptions extends Pick<LaneOptions, "isFull" | "netemMissing" | "javaClassPath" | "environment"> {
  /** Begins the names of all namespaces. */
  readonly prefix: string;
  readonly dir: string;
  readonly report: (result: ScenarioResult) => void;
  /** The environment of nodes with mutual TLS between them. */
  readonly mutualTls: Readonly<Record<string, string>>;
  /** Every cluster has it; otherwise only that on etcd, so that each run tries both. */
  readonly isAllMutual: boolean;
  /** Aborted when the run is to end: nothing new is begun then. */
  readonly stopping: AbortSignal;
}

// The numbers of lanes are those of their subnets, too.
const ETCD_LANE = 7;
/** Its scenarios have the machine to themselves. */
const ALONE_LANE = 8;
/** Its network has relays. Its scenarios come when those on etcd are over, which are few. */
const LATE_LANE = 9;

/** Plays all of them; the results come in the order of `scenarios`. */
export async function playAll(scenarios: readonly Scenario[], options: LanesOptions): Promise<ScenarioResult[]> {
  const results = new Map<string, ScenarioResult>();
  const report = (result: ScenarioResult) => {
    // Whatever fails while all is being removed fails for that reason.
    if (options.stopping.aborted) return;
    results.set(result.name, result);
    options.report(result);
  };
  const play = async (lane: number) => {
    const own = scenarios.filter((scenario) => laneOf(scenario, options) === lane);
    const storeKind = lane === ETCD_LANE ? "etcd" : "postgres";
    const isMutual = options.isAllMutual || lane === ETCD_LANE;
    const environment = { ...options.environment, ...(isMutual ? options.mutualTls : {}) };
    const place = { prefix: `${options.prefix}${lane}`, subnet: lane, dir: join(options.dir, `lane${lane}`) };
    if (own.length > 0 && !options.stopping.aborted)
      await playLane(own, { ...options, ...place, environment, storeKind, hasRelays: lane === LATE_LANE }, report);
  };
  const beside = new Set(scenarios.map(({ lane }) => lane));
  await Promise.all([...[...beside].map(play), play(ETCD_LANE).then(() => play(LATE_LANE))]);
  await play(ALONE_LANE);
  return scenarios.flatMap(({ name }) => results.get(name) ?? []);
}

function laneOf(
  { lane, storeKind, isAlone = false, needsDelay = false }: Scenario,
  { netemMissing }: LanesOptions,
): number {
  if (storeKind === "etcd") return ETCD_LANE;
  if (needsDelay && netemMissing !== undefined) return LATE_LANE;
  return isAlone ? ALONE_LANE : lane;
}

async function playLane(
  scenarios: readonly Scenario[],
  options: LaneOptions,
  report: (result: ScenarioResult) => void,
): Promise<void> {
  mkdirSync(options.dir, { recursive: true });
  const network = await createLaneNetwork(options);
  const command = network.on(CONTROL_HOST, [process.execPath, LANE_PROGRAM, JSON.stringify(options)]);
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  for (const scenario of scenarios) {
    const answer = await ask(child, { scenario: scenario.name });
    if (answer !== "ended") report(answer.result);
    else return report(lost(scenario, options));
  }
  await ask(child, "end");
  child.disconnect();
}

function ask(child: ChildProcess, order: LaneOrder): Promise<LaneAnswer> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve("ended");
  return new Promise((resolve) => {
    const answered = (answer: LaneAnswer) => {
      child.off("exit", ended);
      resolve(answer);
    };
    const ended = () => {
      child.off("message", answered);
      resolve("ended");
    };
    child.once("message", answered);
    child.once("exit", ended);
    child.send(order);
  });
}

function lost({ name, about }: Scenario, { dir }: LaneOptions): ScenarioResult {
  const failures = ["the lane's process ended"];
  return {
    name,
    about,
    failures,
    isPassed: false,
    times: {},
    notes: [],
    findings: [],
    explanations: [],
    seconds: 0,
    logs: dir,
  };
}
