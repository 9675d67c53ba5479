// Runs seeds: `npm run sim -- --seeds 500 --first-seed 1 [--cluster] [--verbose] [--keep-going]`. Stops at the first
// violation with everything needed to understand and to repeat it; with --keep-going each violation is one line.

import { parseArgs } from "node:util";
import { type RunResult, runSeed } from "./world.ts";

const PROGRESS_MS = 5_000;
const EVENTS_SHOWN = 40;

interface Options {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly isCluster: boolean;
  readonly isVerbose: boolean;
  readonly keepsGoing: boolean;
  readonly events: number;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "100" },
      "first-seed": { type: "string", default: "1" },
      events: { type: "string", default: String(EVENTS_SHOWN) },
      cluster: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
    },
  });
  return {
    seeds: Number.parseInt(values.seeds, 10),
    firstSeed: Number.parseInt(values["first-seed"], 10),
    isCluster: values.cluster,
    isVerbose: values.verbose,
    keepsGoing: values["keep-going"],
    events: Number.parseInt(values.events, 10),
  };
}

function main(): void {
  const options = readOptions();
  const endSeed = options.firstSeed + options.seeds;
  let passed = 0;
  let failed = 0;
  let shownMs = performance.now();
  for (let seed = options.firstSeed; seed < endSeed && (failed === 0 || options.keepsGoing); seed++) {
    const startMs = performance.now();
    const result = runSeed(seed, options);
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
    console.log(`seed ${seed}: ${passed + failed} of ${options.seeds} done, ${failed} failed`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function describeRun({ seed, plan, endMs, log }: RunResult, tookMs: number): string {
  const { topology, clients, services } = plan;
  const world = `${topology}, ${clients} clients, ${services} services`;
  return `seed ${seed}: ${world}, ${endMs} ms virtual, ${log.size} events, ${log.hash}, took ${Math.round(tookMs)} ms`;
}

function describeFinding({ seed, plan, finding, endMs, log }: RunResult, { isCluster, events }: Options): string {
  const faults = [...plan.clientFaults, ...plan.serverFaults].join(", ");
  return [
    "",
    `VIOLATION of rule ${finding?.rule}`,
    `  seed ${seed}, at ${endMs} ms, ${finding?.service ?? "any service"}`,
    `  ${plan.topology}, ${plan.clients} clients, ${plan.services} services; faults: ${faults}; world began at ${plan.startMs}`,
    `  ${finding?.text}`,
    "",
    ...log.last(events, finding?.service).map((line) => `  ${line}`),
    "",
    `repeat with: npm run sim -- --seeds 1 --first-seed ${seed}${isCluster ? " --cluster" : ""}`,
  ].join("\n");
}

function oneLine({ seed, plan, finding, endMs }: RunResult): string {
  return `seed ${seed}: ${plan.topology}, at ${endMs} ms: rule ${finding?.rule}: ${finding?.text}`;
}

main();
