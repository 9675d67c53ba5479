// The results in docs/reliability.md: what a run has measured replaces what is between the two marks there.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { type ScenarioResult, tableOf } from "./result.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const PAGE = join(ROOT, "docs", "reliability.md");
const BEGIN = "<!-- results: written by the suite -->";
const END = "<!-- end of results -->";

export interface RunAbout {
  readonly seconds: number;
  /** The checks that this run could not do, in whole sentences. */
  readonly leftOut: readonly string[];
}

/** Writes the results into the page; throws if its marks are gone. */
export function writeReport(results: readonly ScenarioResult[], about: RunAbout): void {
  writeFileSync(PAGE, withResults(readFileSync(PAGE, "utf8"), resultsOf(results, about)));
}

/** The page with new results between its marks. */
export function withResults(page: string, results: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/reliability.md has lost its marks "${BEGIN}" and "${END}"`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${results}\n\n${page.slice(end)}`;
}

function resultsOf(results: readonly ScenarioResult[], { seconds, leftOut }: RunAbout): string {
  const passed = results.filter(({ isPassed }) => isPassed).length;
  const day = new Date().toISOString().slice(0, 10);
  const [processor] = cpus();
  const machine = `${cpus().length} × ${processor?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const where = `${machine}, Linux ${release().split("-")[0]}, Node ${process.version}, commit ${commit()}`;
  const text = `${day}: ${passed} of ${results.length} scenarios passed, in ${Math.round(seconds)} s. ${where}.`;
  return [text, ...leftOut, tableOf(results)].join("\n\n");
}

function commit(): string {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
  const isChanged = git("status", "--porcelain", "--", "src").length > 0;
  return `${git("rev-parse", "--short", "HEAD")}${isChanged ? " and changes on top" : ""}`;
}
