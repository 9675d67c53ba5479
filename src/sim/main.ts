// Runs seeds: `npm run sim -- --seeds 500 --first-seed 1 [--cluster | --tight | --tree] [--workers 2] [--verbose]
// [--keep-going]`, or `--only 3,5,8`. Stops at the first violation with everything needed to understand and to repeat
// it: the last --events N that touch the service, or with --whole the last of all. With --keep-going each violation is
// one line. Alternatively runs one text scenario: `npm run sim -- --scenario NAME`; or large clusters, to measure their
// cost: `npm run sim -- --scale`.

import { type ChildProcess, fork } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { scaleTable } from "./scale/scaleTable.ts";
import { runScenario } from "./scenario/runScenario.ts";
import { runTreeSeed } from "./treeWorld.ts";
import { type RunResult, runSeed } from "./world.ts";

const PROGRESS_MS = 5_000;
const EVENTS_SHOWN = 40;

interface Options {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly isCluster: boolean;
  readonly isTight: boolean;
  readonly isTree: boolean;
  readonly isVerbose: boolean;
  readonly keepsGoing: boolean;
  readonly events: number;
  /** Events of all services are shown. */
  readonly isWhole: boolean;
  readonly scenario: string;
  readonly isScale: boolean;
  readonly workers: number;
  /** Only one seed in this many is run: the other workers run the others. */
  readonly every: number;
  /** The only seeds to run, if any are named. */
  readonly only: readonly number[];
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "100" },
      "first-seed": { type: "string", default: "1" },
      events: { type: "string", default: String(EVENTS_SHOWN) },
      cluster: { type: "boolean", default: false },
      tight: { type: "boolean", default: false },
      tree: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
      whole: { type: "boolean", default: false },
      scenario: { type: "string", default: "" },
      scale: { type: "boolean", default: false },
      workers: { type: "string", default: "1" },
      every: { type: "string", default: "1" },
      only: { type: "string", default: "" },
    },
  });
  return {
    seeds: Number.parseInt(values.seeds, 10),
    firstSeed: Number.parseInt(values["first-seed"], 10),
    isCluster: values.cluster,
    isTight: values.tight,
    isTree: values.tree,
    isVerbose: values.verbose,
    keepsGoing: values["keep-going"],
    events: Number.parseInt(values.events, 10),
    isWhole: values.whole,
    scenario: values.scenario,
    isScale: values.scale,
    workers: Number.parseInt(values.workers, 10),
    every: Number.parseInt(values.every, 10),
    only: values.only === "" ? [] : values.only.split(",").map(Number),
  };
}

const SCENARIOS = new URL("scenarios/", import.meta.url);

/** Runs a scenario and prints all its events. */
function tellScenario({ scenario, events }: Options): void {
  const file = `${scenario.replace(/\.txt$/, "")}.txt`;
  if (!readdirSync(SCENARIOS).includes(file)) {
    console.log(`there is no scenario ${file} in src/sim/scenarios`);
    process.exitCode = 2;
    return;
  }
  const { differences, log } = runScenario(readFileSync(new URL(file, SCENARIOS), "utf8"));
  for (const line of log.last(events, undefined)) console.log(`  ${line}`);
  console.log(differences.length === 0 ? `${file}: as expected` : `${file}:\n${differences.join("\n")}`);
  process.exitCode = differences.length === 0 ? 0 : 1;
}

function tellScale(): void {
  for (const line of scaleTable()) console.log(line);
}

/** Shares the seeds among processes; unless all are to be run, the first violation ends the others. */
async function share({ workers, firstSeed, seeds, keepsGoing }: Options): Promise<void> {
  const file = new URL(import.meta.url).pathname;
  const children: ChildProcess[] = Array.from({ length: workers }, (_, at) => {
    const own = ["--first-seed", `${firstSeed + at}`, "--seeds", `${seeds - at}`, "--every", `${workers}`];
    return fork(file, [...process.argv.slice(2), ...own, "--workers", "1"]);
  });
  const ends = children.map(
    (child) =>
      new Promise<void>((resolve) => {
        child.once("exit", (code) => {
          if (code === 1) process.exitCode = 1;
          if (code === 1 && !keepsGoing) for (const other of children) if (other.exitCode === null) other.kill();
          resolve();
        });
      }),
  );
  await Promise.all(ends);
}

const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

async function main(): Promise<void> {
  const options = readOptions();
  if (options.scenario !== "") return tellScenario(options);
  if (options.isScale) return tellScale();
  if (options.workers > 1) return share(options);
  let passed = 0;
  let failed = 0;
  let shownMs = performance.now();
  for (const seed of seedsOf(options)) {
    if (failed > 0 && !options.keepsGoing) break;
    const startMs = performance.now();
    const result = options.isTree ? await runTreeSeed(seed, settle) : runSeed(seed, options);
    const tookMs = performance.now() - startMs;
    if (options.isVerbose) console.log(describeRun(result, tookMs));
    if (result.finding === undefined) {
      passed++;
    } else {
      failed++;
      console.log(options.keepsGoing ? oneLine(result) : describeFinding(result, options));
    }
    if (performance.now() - shownMs < PROGRESS_MS) continue;
    shownMs = performance.now();
    const seeds = Math.ceil(options.seeds / options.every);
    console.log(`seed ${seed}: ${passed + failed} of ${seeds} done, ${failed} failed`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function* seedsOf({ only, firstSeed, seeds, every }: Options): Generator<number> {
  if (only.length > 0) return yield* only;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += every) yield seed;
}

function describeRun({ seed, plan, endMs, log }: RunResult, tookMs: number): string {
  const { topology, clients, services } = plan;
  const world = `${topology}, ${clients} clients, ${services} services`;
  return `seed ${seed}: ${world}, ${endMs} ms virtual, ${log.size} events, ${log.hash}, took ${Math.round(tookMs)} ms`;
}

function describeFinding(
  { seed, plan, finding, endMs, log }: RunResult,
  { isCluster, isTight, isTree, events, isWhole }: Options,
): string {
  const faults = [...plan.clientFaults, ...plan.serverFaults].join(", ");
  const nodes = plan.nodes.map(({ machine }) => machine).join(" ");
  const kinds = [isCluster && " --cluster", isTight && " --tight", isTree && " --tree"].filter(
    (kind) => kind !== false,
  );
  return [
    "",
    `VIOLATION of rule ${finding?.rule}`,
    `  seed ${seed}, at ${endMs} ms, ${finding?.service ?? "any service"}`,
    `  ${plan.topology} ${nodes}, ${plan.clients} clients, ${plan.services} services; world began at ${plan.startMs}`,
    `  faults: ${faults}`,
    `  ${finding?.text}`,
    "",
    ...log.last(events, isWhole ? undefined : finding?.service).map((line) => `  ${line}`),
    "",
    `repeat with: npm run sim -- --seeds 1 --first-seed ${seed}${kinds.join("")}`,
  ].join("\n");
}

function oneLine({ seed, plan, finding, endMs }: RunResult): string {
  return `seed ${seed}: ${plan.topology}, at ${endMs} ms: rule ${finding?.rule}: ${finding?.text.split("\n")[0]}`;
}

await main();
