// All figures of all runs as one Markdown table: a row for each figure, a column for each target, and beside a peer's
// figure how many times better Roster's is.

import { type Figure, median, shown } from "./figures.ts";
import type { Expected } from "./workloads.ts";

/** The results of one run of one case on one target. */
export interface Finding {
  readonly title: string;
  readonly target: string;
  readonly isOurs: boolean;
  readonly expected: Readonly<Record<string, Expected>>;
  /** Empty if the run failed, for this reason. */
  readonly figures: readonly Figure[];
  readonly failure?: string;
}

/** The figures of one cell, one for each run. */
interface Cell {
  readonly figures: readonly Figure[];
}

export function report(findings: readonly Finding[], targets: readonly string[]): string {
  const head = `| benchmark | figure | ${targets.join(" | ")} | expected |`;
  const rule = `|---|---|${targets.map(() => "---:").join("|")}|---|`;
  const titles = [...new Set(findings.map(({ title }) => title))];
  return [head, rule, ...titles.flatMap((title) => caseRows(title, findings, targets))].join("\n");
}

function caseRows(title: string, all: readonly Finding[], targets: readonly string[]): string[] {
  const findings = all.filter((finding) => finding.title === title);
  const names = [...new Set(findings.flatMap(({ figures }) => figures.map(({ name }) => name)))];
  const failures = failureRow(title, findings, targets);
  return [
    ...names.map((name, index) => {
      const cells = targets.map((target) => cellOf(findings, target, name));
      const ours = cells[0];
      const texts = cells.map((cell, at) => cellText(cell, at === 0 ? undefined : ours));
      const expected = findings.find((finding) => finding.expected[name] !== undefined)?.expected[name];
      return `| ${index === 0 ? title : ""} | ${name} | ${texts.join(" | ")} | ${expectedText(expected, cells)} |`;
    }),
    ...failures,
  ];
}

function failureRow(title: string, findings: readonly Finding[], targets: readonly string[]): string[] {
  const failed = findings.filter(({ failure }) => failure !== undefined);
  if (failed.length === 0) return [];
  const texts = targets.map((target) => {
    const reasons = failed.filter((finding) => finding.target === target).map(({ failure }) => failure ?? "");
    return [...new Set(reasons.map((reason) => reason.split("\n", 1)[0]?.replaceAll("|", "/") ?? ""))].join("; ");
  });
  return [`| ${title} | failed | ${texts.join(" | ")} | |`];
}

function cellOf(findings: readonly Finding[], target: string, name: string): Cell {
  const runs = findings.filter((finding) => finding.target === target);
  return { figures: runs.flatMap(({ figures }) => figures.filter((figure) => figure.name === name)) };
}

function cellText({ figures }: Cell, ours: Cell | undefined): string {
  const [first] = figures;
  if (first === undefined) return "–";
  const texts = figures.flatMap(({ text }) => (text === undefined ? [] : [text]));
  if (texts.length > 0) return [...new Set(texts)].join("; ");
  const values = figures.map(({ value }) => value);
  const range = `${shown(Math.min(...values), "")}–${shown(Math.max(...values), "")}`;
  const spread = values.length === 1 ? "" : ` (${range})`;
  return `${shown(median(values), first.unit)}${spread}${ratioText(figures, ours)}`;
}

/** Nothing beside Roster's own figures, and where less or more is neither better nor worse. */
function ratioText(theirs: readonly Figure[], ours: Cell | undefined): string {
  const [first] = theirs;
  if (first === undefined || first.unit === "" || first.isAside) return "";
  const their = median(theirs.map(({ value }) => value));
  const own = median((ours?.figures ?? []).map(({ value }) => value));
  const times = first.unit === "/s" ? own / their : their / own;
  return Number.isFinite(times) && times > 0 ? ` **×${times >= 10 ? times.toFixed(0) : times.toFixed(1)}**` : "";
}

function expectedText(expected: Expected | undefined, cells: readonly Cell[]): string {
  const unit = cells.flatMap(({ figures }) => figures)[0]?.unit ?? "";
  if (expected === undefined) return "";
  const sign = unit === "/s" ? "≥" : "≤";
  const [one, three] = expected;
  const text = `${sign} ${shown(one, unit)}`;
  return three === undefined ? text : `${text}, cluster ${sign} ${shown(three, unit)}`;
}
