// `npm run bench -- [w1] [w5]`: runs the named benchmarks, or all, each against a server in a process of its own, and
// prints their figures as a Markdown table. Results that are kept go into bench/RESULTS.md with date, machine and
// commit.

import { execFileSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";
import { type Figures, table } from "./figures.ts";
import { w1 } from "./w1.ts";
import { w5 } from "./w5.ts";

const BENCHMARKS: Readonly<Record<string, () => Promise<Figures>>> = {
  w1: () => w1(100),
  w5,
};

const names = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(BENCHMARKS);
const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are ${Object.keys(BENCHMARKS).join(", ")}`);
  process.exit(2);
}

const commit = execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim();
const load = loadavg()[0]?.toFixed(2);
console.log(`${new Date().toISOString().slice(0, 10)}, commit ${commit}, Node ${process.version}`);
console.log(`${cpus().length} × ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, load ${load}\n`);

const results: Figures[] = [];
for (const name of names) {
  const run = BENCHMARKS[name];
  if (run !== undefined) results.push(await run());
}
console.log(table(results));
