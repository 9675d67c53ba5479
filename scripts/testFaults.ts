// The fault suite: real processes on networks of its own, and what happens to them. `node scripts/testFaults.ts` plays
// all scenarios, `--only NAME` those whose name contains it. It needs Linux and root; where it can't run it says why,
// which is a failure in CI.
//
//   --only NAME       only scenarios whose name contains NAME; may be repeated
//   --short           long outages shortened; CI always has them in full
//   --write-report    writes docs/reliability.md anew
//   --keep            keeps logs and histories also if all is well
//   --mutual-tls      nodes believe each other by certificates; without it, only those of the cluster on etcd do
//   --prove           plays scenarios on clusters that are wrong (test/faults/plants.ts) and expects them to fail
//   --from REF        nodes run the program of that commit until they are restarted: with --only rolling-restart, a
//                     rolling upgrade from it to this one
//   --list            names the scenarios

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TestCertificates } from "../src/transport/testing/certificates.ts";
import { prepareJava } from "../test/faults/clients/javaClients.ts";
import { mutualTlsOf } from "../test/faults/cluster/nodeCertificates.ts";
import { type LanesOptions, playAll } from "../test/faults/lanes.ts";
import { type Capabilities, findCapabilities } from "../test/faults/net/capabilities.ts";
import { removeLeftovers, removeRun, runPrefix } from "../test/faults/net/leftovers.ts";
import { PLANTS } from "../test/faults/plants.ts";
import { writeReport } from "../test/faults/report.ts";
import { faultsOf, type ScenarioResult, tableOf } from "../test/faults/result.ts";
import { findScenario, SCENARIOS, type Scenario } from "../test/faults/scenarios/all.ts";

const ROOT = join(import.meta.dirname, "..");
const TESTS = ["test/faults/**/*.test.ts"];
const IS_CI = process.env["CI"] === "true";
/** A shell's exit code for "ended by Ctrl-C". */
const STOPPED = 130;
const stopping = new AbortController();

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    short: { type: "boolean", default: false },
    "write-report": { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    "mutual-tls": { type: "boolean", default: false },
    prove: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    from: { type: "string" },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const scenarios = SCENARIOS.filter(
    ({ name }) => flags.only.length === 0 || flags.only.some((only) => name.includes(only)),
  );
  if (flags.list || scenarios.length === 0) {
    for (const { name, about } of SCENARIOS) console.log(`${name.padEnd(28)} ${about}`);
    return flags.list ? 0 : 1;
  }
  // A judge that finds nothing proves nothing: it is tried on histories that are wrong.
  const tested = spawnSync(process.execPath, ["--test", "--test-timeout=300000", "--test-reporter=dot", ...TESTS], {
    cwd: ROOT,
    stdio: "inherit",
  });
  if (tested.status !== 0) return 1;
  const capabilities = await findCapabilities();
  if (capabilities.missing.length > 0) return reportMissing(capabilities);
  if (capabilities.netemMissing !== undefined) console.log(withoutNetem(capabilities.netemMissing));
  const removed = await removeLeftovers();
  if (removed > 0) console.log(`removed ${removed} leftovers of runs that were killed`);
  const earlier = flags.from === undefined ? undefined : checkOut(flags.from);
  if (earlier !== undefined) process.env["FAULTS_FROM"] = earlier;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop(signal));
  try {
    return await (flags.prove ? prove(capabilities) : runSuite(scenarios, capabilities));
  } finally {
    if (earlier !== undefined) git("worktree", "remove", "--force", earlier);
  }
}

/** The program of an earlier commit, in a folder of its own, with the packages of this one. */
function checkOut(ref: string): string {
  const folder = mkdtempSync(join(tmpdir(), "roster-earlier-"));
  git("worktree", "add", "--detach", "--force", folder, ref);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

function git(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
}

/** Nothing of ours outlives us but for a kill -9, after which the next run clears away. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  console.log(`stopped by ${signal}; everything is removed`);
  stopping.abort();
  await removeRun(process.pid);
  // Remains of a run that was being made a moment ago.
  await removeRun(process.pid);
  process.exit(STOPPED);
}

/**
 * Plays scenarios on networks of their own, of which nothing is left afterwards but, in `keptDir`, what was written.
 */
async function play(scenarios: readonly Scenario[], { netemMissing }: Capabilities, how: How): Promise<Played> {
  const prefix = runPrefix(process.pid);
  const dir = mkdtempSync(join(tmpdir(), prefix));
  // PostgreSQL refuses to run as root, and its user has to get to its files.
  chmodSync(dir, 0o755);
  const startMs = performance.now();
  const removals: (() => void)[] = [];
  let results: ScenarioResult[] = [];
  try {
    const certificates = new TestCertificates({ after: (remove) => removals.push(remove) });
    const isFull = IS_CI || !flags.short;
    const javaClassPath = await javaFor(scenarios, join(dir, "java"));
    results = await playAll(scenarios, {
      prefix,
      dir,
      isFull,
      netemMissing,
      javaClassPath,
      mutualTls: mutualTlsOf(certificates),
      isAllMutual: flags["mutual-tls"],
      stopping: stopping.signal,
      ...how,
    });
  } finally {
    for (const remove of removals) remove();
    await removeRun(process.pid, [dir]);
  }
  const isPassed = results.length === scenarios.length && results.every((result) => result.isPassed);
  return { results, isPassed, seconds: (performance.now() - startMs) / 1_000, dir };
}

type How = Pick<LanesOptions, "environment" | "report">;

interface Played {
  readonly results: readonly ScenarioResult[];
  readonly isPassed: boolean;
  readonly seconds: number;
  readonly dir: string;
}

async function runSuite(scenarios: readonly Scenario[], capabilities: Capabilities): Promise<number> {
  const { results, isPassed, seconds, dir } = await play(scenarios, capabilities, { environment: {}, report });
  if (stopping.signal.aborted) return STOPPED;
  const passed = results.filter((result) => result.isPassed).length;
  console.log(`\n${tableOf(results)}\n`);
  console.log(`${passed} passed, ${scenarios.length - passed} failed, ${seconds.toFixed(0)} s`);
  if (isPassed && !flags.keep) rmSync(dir, { recursive: true, force: true });
  else console.log(`logs and histories: ${keep(dir)}`);
  if (flags["write-report"]) {
    const { netemMissing } = capabilities;
    writeReport(results, { seconds, leftOut: netemMissing === undefined ? [] : [withoutNetem(netemMissing)] });
  }
  return isPassed ? 0 : 1;
}

/** Plays scenarios on clusters that are wrong, and expects them to fail, each in its way. */
async function prove(capabilities: Capabilities): Promise<number> {
  let unnoticed = 0;
  for (const { scenario, environment, expected } of PLANTS) {
    const { results, dir } = await play([findScenario(scenario)], capabilities, {
      environment,
      report: () => undefined,
    });
    if (stopping.signal.aborted) return STOPPED;
    rmSync(dir, { recursive: true, force: true });
    const said = results.flatMap(({ failures, findings }) => [...failures, ...findings]);
    const isNoticed = said.some((text) => expected.test(text));
    console.log(`${isNoticed ? "noticed" : "UNNOTICED"}: ${scenario} with ${JSON.stringify(environment)}`);
    if (!isNoticed) unnoticed++;
  }
  return unnoticed === 0 ? 0 : 1;
}

function withoutNetem(why: string): string {
  return `Delay of packets is left out: ${why}. Instead, relays pass on late what is sent; loss is real.`;
}

/** The class path of the Java clients if a scenario has any. */
async function javaFor(scenarios: readonly Scenario[], dir: string): Promise<string | undefined> {
  if (!scenarios.some(({ hasJava = false }) => hasJava)) return undefined;
  const { classPath, missing } = await prepareJava(dir);
  if (classPath !== undefined) return classPath;
  if (IS_CI) throw new Error(`the Java clients can't be run: ${missing}`);
  console.log(`Left out: real Java clients; missing: ${missing}.`);
  return undefined;
}

/** Under another name the next run leaves it alone. */
function keep(dir: string): string {
  const kept = join(tmpdir(), `roster-faults-kept-${process.pid}`);
  mkdirSync(join(kept, ".."), { recursive: true });
  renameSync(dir, kept);
  return kept;
}

function report(result: ScenarioResult): void {
  console.log(`${result.isPassed ? "ok  " : "FAIL"} ${result.seconds.toFixed(1).padStart(6)} s  ${result.name}`);
  if (!result.isPassed) console.log(faultsOf(result));
}

function reportMissing({ missing }: Capabilities): number {
  console.error(`${IS_CI ? "FAILED" : "NOT RUN"}: the fault suite (test/faults), the only proof on real processes.`);
  for (const what of missing) console.error(`Missing: ${what}`);
  return IS_CI ? 1 : 0;
}
