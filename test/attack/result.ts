// The result of an attack: the figures, their faults, and their presentation.

import type { Attack } from "./attack.ts";
import type { TallyReport } from "./attacker/tally.ts";
import type { HonestReport } from "./honest/honestClients.ts";
import type { Watched } from "./server/watch.ts";

export interface Figures extends Watched {
  readonly memory: {
    readonly beforeBytes: number;
    /** Some seconds after each round. */
    readonly restBytes: readonly number[];
  };
  readonly tally: TallyReport;
  readonly honest: HonestReport;
}

export interface AttackResult extends Figures {
  readonly letter: string;
  readonly name: string;
  readonly sends: string;
  readonly failures: readonly string[];
  /** Nothing is wrong but times: another process may have had the machine in that moment. */
  readonly isOnlySlow: boolean;
  readonly seconds: number;
  /** Where the server's log is, if it failed. */
  readonly dir: string;
}

export interface Judged extends Figures {
  readonly ownEnd: string | undefined;
  readonly memoryBytesMax: number;
  readonly log: string;
}

const P99_MS_MAX = 100;
// Of fewer pushes the slowest one counts as p99, and one moment decides: twice the time is allowed. So the short form
// finds what has become slow, and the long form tells whether the figure is met.
const P99_SAMPLES_MIN = 100;
// A processor that is not there cannot be used: then a time says little of the server.
const WAITED_SHARE_MAX = 0.05;
const BUSY_FACTOR = 5;
// A second's grace, the push, and a loaded machine.
const UNLISTED_MS_MAX = 2_500;
const HEALTH_MS_MAX = 1_000;
// The memory that the heap, the allocator and the compiled code may keep after a round, which a second round has to
// reuse.
const KEPT_BYTES_MAX = 64 * 1024 * 1024;
const MIB = 1024 * 1024;

/** Everything that is wrong. */
export function failuresOf(attack: Attack, judged: Judged): string[] {
  const { honest, tally } = judged;
  const failures: string[] = [...tally.failures, ...honest.findings];
  const demand = (isMet: boolean, text: string) => {
    if (!isMet) failures.push(text);
  };
  demand(!judged.isStopped, `the server was stopped at ${mib(judged.peakBytes)}`);
  if (!judged.isStopped) demand(judged.ownEnd === undefined, `the server ended with ${judged.ownEnd}`);
  const budget = judged.memoryBytesMax;
  demand(judged.peakBytes <= budget, `the server took ${mib(judged.peakBytes)}, ${mib(budget)} are its budget`);
  demand(honest.samples > 0, "no push was measured");
  demand(honest.closed === 0, `${honest.closed} connections of honest clients were closed`);
  const [first = 0, second = 0] = judged.memory.restBytes;
  const isGrown = second > first + KEPT_BYTES_MAX && second > judged.memory.beforeBytes + 2 * KEPT_BYTES_MAX;
  demand(!isGrown, `after a second round the server kept ${mib(second)}, after the first ${mib(first)}`);
  const text = [...Object.keys(tally.refused), ...tally.notes, judged.log].join("\n");
  for (const sign of attack.signs ?? []) demand(sign.test(text), `nothing says ${sign.source}`);
  return [...failures, ...delaysOf(judged)];
}

/** The delays beyond their limits. */
export function delaysOf(judged: Watched & Pick<Figures, "honest">): string[] {
  const { honest, healthMsMax } = judged;
  const delays: string[] = [];
  const factor = isBusy(judged) ? BUSY_FACTOR : 1;
  const p99MsMax = P99_MS_MAX * factor * (honest.samples < P99_SAMPLES_MIN ? 2 : 1);
  if (honest.p99Ms > p99MsMax) delays.push(`pushes took ${ms(honest.p99Ms)} (p99), ${p99MsMax} ms are allowed`);
  const unlistedMs = Math.max(0, ...honest.unlistedMs);
  if (unlistedMs > UNLISTED_MS_MAX * factor) delays.push(`a killed client stayed listed for ${ms(unlistedMs)}`);
  if (healthMsMax > HEALTH_MS_MAX * factor) delays.push(`a health check took ${ms(healthMsMax)}`);
  return delays;
}

/** The machine had no processor for the server, or the clients, when they needed one: then their times count less. */
export function isBusy({ waitedShare }: Watched): boolean {
  return waitedShare > WAITED_SHARE_MAX;
}

const HEAD = ["", "Attack", "Memory", "Kept", "Push p99", "Longest", "Closed", "Unlisted", "Health", "Verdict", "Sent"];

/** The table, in Markdown: it can be read as text, too. */
export function tableOf(results: readonly AttackResult[]): string {
  const rows = results.map(cellsOf);
  const widths = HEAD.map((head, at) => Math.max(head.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (at === cells.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, at) => "-".repeat(at === widths.length - 1 ? 3 : width + 2)).join("|")}|`;
  return [line(HEAD), rule, ...rows.map(line)].join("\n");
}

function cellsOf(result: AttackResult): string[] {
  const { honest, memory } = result;
  const isPassed = result.failures.length === 0;
  return [
    result.letter,
    result.name,
    `${result.isStopped ? "> " : ""}${mib(result.peakBytes)}`,
    memory.restBytes.map(mib).join(", "),
    ms(honest.p99Ms),
    ms(honest.maxMs),
    String(honest.closed),
    honest.unlistedMs.length === 0 ? "–" : ms(Math.max(...honest.unlistedMs)),
    ms(result.healthMsMax),
    isPassed ? "passed" : "FAILED",
    result.sends,
  ];
}

// One fault leaves its trace in many lists.
const SHOWN_MAX = 6;

/** A line for each attack, and what is wrong with it below. */
export function lineOf(result: AttackResult): string {
  const { letter, name, failures, honest, tally, seconds, dir } = result;
  const verdict = failures.length === 0 ? "ok  " : "FAIL";
  const [before, ...rest] = [result.memory.beforeBytes, result.peakBytes, ...result.memory.restBytes].map(mib);
  const delays = `p99 ${ms(honest.p99Ms)}, longest ${ms(honest.maxMs)} of ${honest.samples}`;
  const refused = Object.entries(tally.refused).map(([code, count]) => `${count} ${code}`);
  const answers = [`${tally.accepted} accepted`, ...refused, `${tally.closed} closed`].join(", ");
  const unlisted = honest.unlistedMs.length === 0 ? "–" : ms(Math.max(...honest.unlistedMs));
  const waited = `waited ${Math.round(result.waitedShare * 100)} %`;
  const figures = [
    `${before} -> ${rest.join(", ")}`,
    delays,
    `honest closed ${honest.closed}`,
    `unlisted ${unlisted}`,
    `health ${ms(result.healthMsMax)}`,
    isBusy(result) ? `BUSY: ${waited}, times count a fifth` : waited,
    `${mib(tally.bytesSent)} sent: ${answers}`,
    ...tally.notes,
  ];
  const head = `${verdict} ${seconds.toFixed(1).padStart(5)} s  ${letter} ${name}: ${figures.join("; ")}`;
  const shown = failures.slice(0, SHOWN_MAX).map((text) => `       - ${text.slice(0, 300)}`);
  if (failures.length > SHOWN_MAX) shown.push(`       - and ${failures.length - SHOWN_MAX} more`);
  if (failures.length > 0) shown.push(`       log: ${dir}`);
  return [head, ...shown].join("\n");
}

export function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

function ms(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return "never";
  return durationMs < 10_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1_000).toFixed(1)} s`;
}
