// `npm run bench`: runs workloads against Roster, and peers if asked, each time against a server of its own, driven
// from a process of its own; prints one Markdown table. Results that are kept go into bench/RESULTS.md.

import { writeFileSync } from "node:fs";
import { drive } from "./drive.ts";
import { headline } from "./machine.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
import { type Finding, report } from "./report.ts";
import type { Target } from "./targets/target.ts";
import { chosenTargets } from "./targets/targets.ts";
import { type Case, WORKLOADS } from "./workloads.ts";

async function main(options: Options): Promise<void> {
  const cases = options.workloads
    .flatMap((name): readonly Case[] => WORKLOADS[name])
    .filter(({ title }) => title.includes(options.only));
  const { targets, descriptions } = await prepared(options, cases);
  const headlines = headline(options.root);
  const findings: Finding[] = [];
  for (let run = 1; run <= options.runs; run++) {
    // The targets of a case one after the other: they are compared, and the machine's mood changes.
    for (const one of cases) {
      for (const target of targets.filter((candidate) => isRun(one, candidate, options))) {
        console.error(`run ${run} of ${options.runs}: ${one.title}: ${target.name}`);
        findings.push(await find(one, target, options.root));
      }
    }
  }
  console.log(`${headlines}\n`);
  for (const description of descriptions) console.log(`- ${description}`);
  const names = targets.map(({ name }) => name).filter((name) => findings.some(({ target }) => target === name));
  console.log(`\n${report(findings, names)}`);
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(findings, undefined, 1)}\n`);
  process.exitCode = findings.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

/** The targets that can be had, and what each is; a peer that can't be had is said so, never left out silently. */
async function prepared(
  options: Options,
  cases: readonly Case[],
): Promise<{ targets: Target[]; descriptions: string[] }> {
  const targets: Target[] = [];
  const descriptions: string[] = [];
  for (const target of chosenTargets(options)) {
    if (!cases.some((one) => isRun(one, target, options))) continue;
    try {
      console.error(`preparing ${target.name}`);
      descriptions.push(`${target.name}: ${await target.prepare()}`);
      targets.push(target);
    } catch (error) {
      descriptions.push(`${target.name} can't be had here: ${reasonOf(error).split("\n", 1)[0]}`);
    }
  }
  return { targets, descriptions };
}

function isRun({ only }: Case, { isOurs, shape, protocol }: Target, { hasCluster }: Options): boolean {
  if (only === "data" || shape === "data") return only === shape;
  if (shape === "cluster") return hasCluster;
  // The one process is what everything is compared with.
  return isOurs || only === undefined || (only === "sofa" && protocol === "sofa");
}

async function find({ title, job, start = {}, expected = {} }: Case, target: Target, root: string): Promise<Finding> {
  const base = { title, target: target.name, isOurs: target.isOurs, expected };
  try {
    return { ...base, figures: await drive({ title, job, start }, target, root) };
  } catch (error) {
    console.error(reasonOf(error));
    return { ...base, figures: [], failure: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

let options: Options | undefined;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${reasonOf(error)}\n${USAGE}`);
  process.exit(2);
}
await main(options);
// An open handle, such as a log that is not read, must not keep the program.
process.exit();
