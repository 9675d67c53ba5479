// The result of a scenario, and its presentation.

import type { Times } from "./stage.ts";

export interface ScenarioResult {
  readonly name: string;
  readonly about: string;
  readonly isPassed: boolean;
  readonly times: Times;
  readonly notes: readonly string[];
  /** The scenario's own findings: exceeded limits, processes that ended. */
  readonly failures: readonly string[];
  /** The judge's findings in the history. */
  readonly findings: readonly string[];
  /** What a scenario kept to explain them. */
  readonly explanations: readonly string[];
  readonly seconds: number;
  /** The folder with logs and history. */
  readonly logs: string;
}

const HEAD = ["Scenario", "Detection", "First right push", "Convergence", "Verdict", "What happened"];

/** The table, in Markdown: it can be read as text, too. */
export function tableOf(results: readonly ScenarioResult[]): string {
  const rows = results.map(({ name, about, times, isPassed, notes }) => [
    name,
    duration(times.detectionMs),
    duration(times.firstPushMs),
    duration(times.convergenceMs),
    isPassed ? "passed" : "FAILED",
    [about, ...notes].join("; "),
  ]);
  const widths = HEAD.map((head, at) => Math.max(head.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (at === cells.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, at) => "-".repeat(at === widths.length - 1 ? 3 : width + 2)).join("|")}|`;
  return [line(HEAD), rule, ...rows.map(line)].join("\n");
}

function duration(durationMs: number | undefined): string {
  if (durationMs === undefined) return "–";
  return durationMs < 1_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1_000).toFixed(1)} s`;
}

// One fault leaves its trace in many lists; the rest is in the history.
const SHOWN_MAX = 8;

/** The faults of a scenario, for the terminal. */
export function faultsOf({ name, failures, findings, explanations, logs }: ScenarioResult): string {
  const all = [...failures, ...findings];
  const shown = all.slice(0, SHOWN_MAX).map((text) => `  - ${text}`);
  const more = all.length > SHOWN_MAX ? [`  - and ${all.length - SHOWN_MAX} more`] : [];
  const explained = explanations.map((text) => `  ${text}`);
  return [`${name}:`, ...shown, ...more, ...explained, `  logs and history: ${logs}`].join("\n");
}
