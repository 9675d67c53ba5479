// `npm run mutate -- src/session src/data/data.ts`: plants small faults, one at a time, in a copy of the repository,
// and runs the unit tests that are nearest. A fault that no test finds is behaviour that no test holds.
//
//   WHERE          a folder, a file, or lines of one: src/data/data.ts:80-95; several with commas between them are one
//                  place, and faults are chosen from each place by itself
//   --count N      how many faults are planted in each; 20 if nothing is said
//   --seed N       chooses them; the same seed chooses the same ones. Made up if nothing is said
//   --workers N    how many run at the same time, each in a copy of its own; half the processors if nothing is said
//
// Prints each fault that survived, and how many of each place were found; of those tried so far if it is ended. Not
// part of CI: which faults are chosen, and that some change nothing that anybody could see, is no reason for a red
// build.

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Dice } from "../src/sim/random.ts";
import { type Fault, faultsIn, planted } from "./faults.ts";
import { lineAt, readSources, type SourceFile } from "./sourceText.ts";
import { type Verdict, Workplace } from "./workplace.ts";

const ROOT = join(import.meta.dirname, "..");

/** One argument, and what is planted there. */
interface Place {
  readonly name: string;
  readonly possible: number;
  readonly chosen: readonly Fault[];
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "20" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 100_000)) },
    workers: { type: "string", default: String(Math.max(1, Math.floor(availableParallelism() / 2))) },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const sources = new Map(
    readSources(ROOT, "src", [".ts"])
      .filter(isProgram)
      .map((source) => [source.path, source]),
  );
  const dice = new Dice(Number(flags.seed));
  const places = positionals.map((argument) => placeAt(argument, [...sources.values()], dice));
  if (places.length === 0 || places.some(({ possible }) => possible === 0)) {
    console.error("mutate: name folders or files of src/ in which there is something to plant");
    return 1;
  }
  const verdicts = new Map<Fault, Verdict>();
  const printRates = (): void => {
    for (const place of places) console.log(rateLine(place, verdicts));
  };
  // A user who stops the run still wants the rates so far.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      printRates();
      process.exit(1);
    });
  }
  const waiting = places.flatMap(({ chosen }) => chosen);
  await tryAll(waiting, (fault, verdict) => {
    verdicts.set(fault, verdict);
    if (verdicts.size % 20 === 0) console.error(`${verdicts.size} of ${waiting.length} are tried`);
    if (verdict === "found" || verdict === "hung") return;
    console.log(survivorLines(fault, sources.get(fault.path)?.text ?? "", verdict));
  });
  printRates();
  return 0;
}

function isProgram({ path }: SourceFile): boolean {
  return !/\.test\.ts$|\.d\.ts$|\/testing\//.test(path);
}

/** `src/data`, `src/data/data.ts`, `src/data/data.ts:80-95`, or several of these with commas. */
function placeAt(argument: string, sources: readonly SourceFile[], dice: Dice): Place {
  const parts = argument.split(",").map((part) => faultsAt(part, sources));
  // All of nothing is nothing: a name that is wrong must not go unnoticed beside one that is right.
  const possible = parts.some(({ length }) => length === 0) ? [] : parts.flat();
  const chosen = dice.shuffle(possible).slice(0, Number(flags.count));
  return { name: argument, possible: possible.length, chosen };
}

function faultsAt(where: string, sources: readonly SourceFile[]): Fault[] {
  const [, path = "", from, to = from] = where.match(/^(.*?)\/?(?::(\d+)(?:-(\d+))?)?$/) ?? [];
  const inside = sources.filter((source) => source.path === path || source.path.startsWith(`${path}/`));
  const texts = new Map(inside.map((source) => [source.path, source.text]));
  const isNamed = (fault: Fault): boolean => {
    const line = lineAt(texts.get(fault.path) ?? "", fault.start);
    return from === undefined || (line >= Number(from) && line <= Number(to));
  };
  return faultsIn(inside).filter(isNamed);
}

async function tryAll(faults: readonly Fault[], tried: (fault: Fault, verdict: Verdict) => void): Promise<void> {
  const workplaces = Array.from({ length: Math.min(Number(flags.workers), faults.length) }, () => new Workplace(ROOT));
  process.once("exit", () => {
    for (const workplace of workplaces) workplace.remove();
  });
  const waiting = [...faults];
  const work = async (workplace: Workplace): Promise<void> => {
    for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
      tried(fault, await workplace.try(fault));
    }
  };
  await Promise.all(workplaces.map(work));
}

/** The place, and the lines before and after as far as they differ. */
function survivorLines(fault: Fault, text: string, verdict: Verdict): string {
  const changed = planted(text, fault);
  const first = text.lastIndexOf("\n", fault.start - 1) + 1;
  const lastOf = (whole: string, end: number): number => `${whole}\n`.indexOf("\n", end);
  const before = text.slice(first, lastOf(text, fault.end));
  const after = changed.slice(first, lastOf(changed, fault.start + fault.by.length));
  const unreached = verdict === "unreached" ? ", where no test near comes to" : "";
  return `${fault.path}:${lineAt(text, fault.start)}${unreached}\n${marked("-", before)}\n${marked("+", after)}`;
}

function marked(mark: string, lines: string): string {
  return lines
    .split("\n")
    .map((line) => `  ${mark} ${line.trim()}`)
    .join("\n");
}

function rateLine({ name, possible, chosen }: Place, verdicts: ReadonlyMap<Fault, Verdict>): string {
  const count = (verdict: Verdict): number => chosen.filter((fault) => verdicts.get(fault) === verdict).length;
  const found = count("found") + count("hung");
  const tried = chosen.filter((fault) => verdicts.has(fault)).length;
  const details = [
    `${possible} possible`,
    `seed ${flags.seed}`,
    ...(count("hung") > 0 ? [`${count("hung")} by a test that did not end`] : []),
    ...(count("unreached") > 0 ? [`${count("unreached")} where no test near comes to`] : []),
  ];
  const percent = tried === 0 ? "0" : ((100 * found) / tried).toFixed(1);
  return `${name}: ${found} of ${tried} planted faults were found, ${percent} % (${details.join(", ")})`;
}
