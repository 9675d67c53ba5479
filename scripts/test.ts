// `npm test`: the whole of it, as CI runs it. Every step runs even if one before it failed, so that one run tells all.

import { CI_SEEDS, firstSeedOf } from "./seeds.ts";
import { resultLine, runStep, type Step, type StepResult } from "./step.ts";

const TESTS = ["--test", "--test-reporter=spec", "--test-timeout=420000"] as const;
// One of them takes a minute at most, and in the background as long as the others leave it no processor.
const PLANTED = ["--test", "--test-reporter=spec", "--test-timeout=900000"] as const;
// A failure names its seed, and is repeated by that alone; the first one of the day is printed with the step.
const TODAY = String(firstSeedOf(new Date()));

// Seeds have nothing to do with each other: two processes, one for each core of a small machine.
const SIMULATE = ["node", "src/sim/main.ts", "--workers", "2"] as const;

// Each way in which bytes pass; the others are the same through TLS, and take two minutes.
const TLS_CASES = "basic,data,order,config,http";

/** They compute and wait for nothing. Beside ROWS they take what those leave of the processors. */
const BACKGROUND: readonly Step[] = [
  { name: "planted bugs", command: ["node", ...PLANTED, "test/planted/planted.test.ts"], minutesMax: 40 },
  { name: "simulation", command: [...SIMULATE, "--seeds", `${CI_SEEDS.single}`] },
  { name: "simulation of clusters", command: [...SIMULATE, "--cluster", "--seeds", `${CI_SEEDS.cluster}`] },
  { name: "simulation of tight worlds", command: [...SIMULATE, "--tight", "--seeds", `${CI_SEEDS.tight}`] },
  { name: "simulation of the ordered tree", command: [...SIMULATE, "--tree", "--seeds", `${CI_SEEDS.tree}`] },
  {
    name: `simulation, seeds of the day from ${TODAY}`,
    command: [...SIMULATE, "--seeds", "100", "--first-seed", TODAY],
  },
  {
    name: `simulation of clusters, seeds of the day from ${TODAY}`,
    command: [...SIMULATE, "--cluster", "--seeds", "50", "--first-seed", TODAY],
  },
];

/**
 * In this order; those of one row at the same time, where one waits most of its time and none is judged by it. Those
 * that are judged by time come last, each alone: the background is over by then, or nearly so.
 */
const ROWS: readonly (readonly Step[])[] = [
  [
    // The first one of those that use Maven fetches its plugins, which it must not do twice at a time.
    { name: "Java clients", command: ["node", "scripts/testJava.ts"] },
    {
      name: "stores on PostgreSQL",
      command: ["node", ...TESTS, "test/store/{postgres,meta,server}*.test.ts"],
      minutesMax: 10,
    },
    // It waits for answers from outside.
    { name: "supply chain", command: ["node", "scripts/supplyChain.ts", "--signatures"] },
  ],
  [
    { name: "frameworks on a cluster", command: ["node", "scripts/testFrameworks.ts"] },
    { name: "examples", command: ["node", "scripts/testExamples.ts"] },
  ],
  [
    { name: "Eureka's clients", command: ["node", "scripts/testEureka.ts"] },
    { name: "stores on etcd", command: ["node", ...TESTS, "test/store/etcd*.test.ts"], minutesMax: 10 },
  ],
  [
    { name: "Nacos' clients", command: ["node", "scripts/testNacos.ts"] },
    { name: "Consul's clients and DNS", command: ["node", "scripts/testConsul.ts"] },
  ],
  [
    { name: "Java clients through TLS", command: ["node", "scripts/testJava.ts", "--tls", TLS_CASES] },
    { name: "alert rules and metrics under Prometheus", command: ["node", ...TESTS, "test/watching/*.test.ts"] },
    { name: "packed package", command: ["node", ...TESTS, "test/package.test.ts"] },
  ],
  [{ name: "Java clients on a cluster", command: ["node", "scripts/testJava.ts", "--cluster"] }],
  [{ name: "ZooKeeper's clients", command: ["node", "scripts/testZookeeper.ts"] }],
  [{ name: "faults", command: ["node", "scripts/testFaults.ts"] }],
  [{ name: "attacks", command: ["node", "scripts/testAttacks.ts", "--short"] }],
];

const results: StepResult[] = [];

/** Plays the steps at the same time. Their output is shown one after the other; that of one alone as it comes. */
async function runRow(row: readonly Step[]): Promise<void> {
  const [{ isBackground = false } = {}] = row;
  const isShown = row.length === 1 && !isBackground;
  if (!isBackground) console.log(`\n--- ${row.map(({ name }) => name).join(", ")}`);
  for (const result of await Promise.all(row.map((step) => runStep(step, isShown)))) {
    if (!isShown) console.log(`\n--- ${result.name}\n${result.output}`);
    console.log(resultLine(result));
    results.push(result);
  }
}

async function runInOrder(rows: readonly (readonly Step[])[]): Promise<void> {
  for (const row of rows) await runRow(row);
}

await runRow([{ name: "check", command: ["node", "scripts/check.ts"] }]);
await Promise.all([runInOrder(ROWS), runInOrder(BACKGROUND.map((step) => [{ ...step, isBackground: true }]))]);

const failed = results.filter(({ ok }) => !ok);
console.log(`\n${results.map(resultLine).join("\n")}`);
console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
