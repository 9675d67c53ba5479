// `npm run check`: everything a change must pass before it is shown to anybody, in a few minutes. Steps do not depend
// on each other and run two at a time; only a failing one shows what it wrote.

import { resultLine, runStep, type Step, type StepResult } from "./step.ts";

const STEPS_AT_ONCE = 2;

// Those that start nodes or commands wait for half of their time: three of them run beside the other ones.
const PROCESS_TESTS = ["src/{server,cli}/**/*.test.ts", "test/unit/**/*.test.ts"];
const UNIT_TESTS = [
  "src/!(server|cli)/**/*.test.ts",
  "src/*.test.ts",
  "scripts/**/*.test.ts",
  "test/attack/**/*.test.ts",
];

// A test takes a second or two; one that hangs is named by the runner after this. Machines that are busy take longer.
const TEST = ["node", "--test", "--test-reporter=spec", "--test-timeout=300000"] as const;

// The longest first, so that the short ones run beside it.
const STEPS: readonly Step[] = [
  { name: "tests of nodes and commands", command: [...TEST, "--test-concurrency=3", ...PROCESS_TESTS] },
  { name: "unit tests", command: [...TEST, "--test-concurrency=1", ...UNIT_TESTS] },
  { name: "format and lint", command: ["biome", "ci", "--colors=off", "--max-diagnostics=100", "."] },
  { name: "types of the pure layers", command: ["tsc", "-p", "tsconfig.core.json"] },
  { name: "types of everything", command: ["tsc", "-p", "tsconfig.node.json"] },
  { name: "layers", command: ["node", "scripts/checkLayers.ts"] },
  { name: "house rules", command: ["node", "scripts/tidy.ts"] },
  { name: "reference pages", command: ["node", "scripts/docs.ts", "--check"] },
];

async function main(): Promise<void> {
  const waiting = [...STEPS];
  const results: StepResult[] = [];
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const result = await runStep(step);
      results.push(result);
      report(result);
    }
  };
  await Promise.all(Array.from({ length: STEPS_AT_ONCE }, worker));
  const failed = results.filter(({ ok }) => !ok);
  console.log(failed.length === 0 ? "check: all well" : `check: failed: ${failed.map(({ name }) => name).join(", ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function report(result: StepResult): void {
  console.log(resultLine(result));
  // The runner's own count closes its output: a suite that silently ran nothing would show.
  const counts = result.output.split("\n").filter((line) => line.startsWith("ℹ "));
  if (result.ok) for (const line of counts) console.log(`     ${line}`);
  else console.log(failureOf(result.output));
}

/** Of the test runner's output the counts and the failing tests, which close it; of any other all. */
function failureOf(output: string): string {
  const at = output.indexOf("\nℹ tests ");
  return at < 0 ? output : output.slice(at + 1);
}

await main();
