// A scenario is a text: a line that describes the cluster, commands in their order, and after a line of dashes the
// expected result. Commands stand on lines of their own or are separated by semicolons; `#` begins a comment.

import { fail } from "../../base/errors.ts";
import { drawConfig, STILL } from "../drawWorld.ts";
import type { Role } from "../facts.ts";
import type { NodePlan, Plan } from "../plan.ts";
import { Dice } from "../random.ts";

export interface Line {
  readonly number: number;
  readonly words: readonly string[];
  readonly text: string;
}

export interface ScenarioText {
  readonly plan: Plan;
  readonly commands: readonly Line[];
  readonly expectations: readonly Line[];
}

const START_MS = 1_700_000_000_000;
const DASHES = /^-{4,}$/;

export function parseScenario(text: string): ScenarioText {
  const lines = text.split("\n").flatMap(linesOf);
  const end = lines.findIndex(({ text: line }) => DASHES.test(line));
  const [first, ...commands] = end < 0 ? lines : lines.slice(0, end);
  if (first?.words[0] !== "cluster") throw refused(first, "a scenario begins with `cluster key=value ...`");
  return { plan: planOf(first), commands, expectations: end < 0 ? [] : lines.slice(end + 1) };
}

/** The error for a line of a scenario. */
export function refused(line: Line | undefined, reason: string) {
  return fail("FIELD_INVALID", { line: line?.number ?? 0, text: line?.text ?? "", reason });
}

/** `500 ms`, `3 s`, `2 min`, `1 h`, as words; undefined if they are not a time. */
export function durationMs([amount, unit]: readonly (string | undefined)[]): number | undefined {
  const factor = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 }[unit ?? ""];
  const value = Number(amount);
  return factor === undefined || !Number.isFinite(value) ? undefined : value * factor;
}

function linesOf(line: string, index: number): Line[] {
  const code = line.replace(/#.*$/, "");
  return code.split(";").flatMap((part) => {
    const text = part.trim();
    return text === "" ? [] : [{ number: index + 1, words: text.split(/\s+/), text }];
  });
}

/** The world of the scenario's first line. It has no faults of its own: only the commands happen. */
function planOf(line: Line): Plan {
  const settings = new Map(line.words.slice(1).map((word) => [keyOf(word), Number(word.slice(word.indexOf("=") + 1))]));
  const take = (key: string, otherwise: number) => {
    const value = settings.get(key) ?? otherwise;
    settings.delete(key);
    return value;
  };
  const together = take("together", 0);
  const nodes = [
    ...nodesOf("n", together, ["meta", "data", "session"]),
    ...nodesOf("m", take("metas", together > 0 ? 0 : 1), ["meta"]),
    ...nodesOf("d", take("data", together > 0 ? 0 : 2), ["data"]),
    ...nodesOf("s", take("sessions", together > 0 ? 0 : 2), ["session"]),
  ];
  const hasStrangers = take("strangers", 0) > 0;
  const plan: Plan = { ...STILL_PLAN, nodes, hasStrangers, meta: { ...META, slotCount: take("slots", 16) } };
  const unknown = [...settings.keys()].filter((key) => !(key in plan.config || key in plan.meta));
  if (unknown.length > 0) throw refused(line, `nobody knows ${unknown.join(", ")}`);
  const changed = (part: object) => Object.fromEntries([...settings].filter(([key]) => key in part));
  return {
    ...plan,
    config: { ...plan.config, ...changed(plan.config) },
    meta: { ...plan.meta, ...changed(plan.meta) },
  };
}

function keyOf(word: string): string {
  return word.slice(0, word.indexOf("=")).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function nodesOf(prefix: string, count: number, roles: readonly Role[]): NodePlan[] {
  return Array.from({ length: count }, (_, at) => ({ machine: `${prefix}${at + 1}`, roles }));
}

const META: Plan["meta"] = {
  slotCount: 16,
  memberLeaseMs: 20_000,
  memberGoneMs: 1_000,
  leaderLeaseMs: 5_000,
  slotReplicas: 2,
  slotMovesMax: 8,
  dataNodesMin: 0,
  configValuesMax: 1_000,
  configValueBytesMax: 1024 * 1024,
  configBytesMax: 64 * 1024 * 1024,
  firstTableDelayMs: 500,
};

const STILL_PLAN: Plan = {
  topology: "cluster",
  startMs: START_MS,
  nodes: [],
  clients: 0,
  services: 0,
  zones: ["Z1"],
  trafficMs: 0,
  operationMs: 1,
  clientFaultMs: 1,
  serverFaultMs: 1,
  clientFaults: [],
  serverFaults: [],
  sharedChance: 0,
  payloadChars: 0,
  weather: { delayMs: 1, spikeMs: 1, spikeChance: 0, splitChance: 0 },
  linkWeather: { ...STILL, delayMs: 1 },
  clocks: { spreadMs: 0, drift: 0 },
  pauseMsMax: 0,
  absenceMs: 0,
  hasLeaving: false,
  config: {
    ...drawConfig(new Dice(1)),
    pushWindowMaxMs: 0,
    sessionLeaseMs: 30_000,
    versionScanIntervalMs: 5_000,
    digestIntervalMs: 6_000,
    operatorLogEntries: 30,
    restartHoldMs: 15_000,
  },
  meta: META,
};
