// `roster watch …`: the rows of a question, and then each row that comes or goes. A question that can wait for a change
// at the node does so; others are asked again and again.

import { setTimeout as sleep } from "node:timers/promises";
import type { OperationCommand } from "../admin/command.ts";
import type { RawParameters } from "../admin/parameter.ts";
import { RegistryError } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import { aligned } from "./aligned.ts";
import { askAllPages, isPaged } from "./allPages.ts";
import type { Answer, NodeClient } from "./nodeClient.ts";
import { cellsOf, headsOf, nameOf, type OutputForm, printNote, type Row, rowsOf } from "./output.ts";

export interface Watch {
  readonly client: NodeClient;
  readonly form: OperationCommand;
  readonly parameters: RawParameters;
  readonly output: OutputForm;
  readonly intervalMs: number;
  /** The number of changes after which it ends. */
  readonly changesMax: number;
  readonly endMs: number;
  /** Ends it. */
  readonly stopped: AbortSignal;
}

// A question that waits is not answered later than this.
const WAIT_MS_MAX = 20_000;

/** Prints the rows and their changes until it is stopped, or its bounds are reached. */
export async function watch(given: Watch): Promise<void> {
  const { form, output, changesMax, endMs, stopped } = given;
  let rows: ReadonlyMap<string, Row> | undefined;
  let since: string | undefined;
  let changes = 0;
  let lastFailure = "";
  while (!stopped.aborted && changes < changesMax) {
    const answer = await Promise.race([asked(given, since).catch(failureOf), untilAborted(stopped)]);
    if (answer === "aborted") return;
    if (answer instanceof RegistryError) {
      // Before the first answer there may be a mistake; after it, the cluster may come back.
      if (rows === undefined && (!answer.retry || answer.code === "NODE_UNREACHABLE")) throw answer;
      if (answer.code !== lastFailure) printNote(`${answer.message}; watching goes on`);
      lastFailure = answer.code;
    } else {
      lastFailure = "";
      const present = new Map(rowsOf(form, answer).map((row) => [JSON.stringify(row), row]));
      if (rows === undefined) printChanges(form, output, { mark: " ", rows: [...present.values()] });
      else if (printDifference(form, output, { before: rows, present })) changes++;
      rows = present;
      if (canWait(form)) since = String(answer["version"]);
    }
    if (performance.now() >= endMs) return;
    const isAskedAtOnce = since !== undefined && !(answer instanceof RegistryError);
    if (!isAskedAtOnce) await sleep(given.intervalMs, undefined, { signal: stopped }).catch(() => undefined);
  }
}

function untilAborted(signal: AbortSignal): Promise<"aborted"> {
  if (signal.aborted) return Promise.resolve("aborted");
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted"), { once: true }));
}

function failureOf(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  throw error;
}

function canWait({ operation: { parameters } }: OperationCommand): boolean {
  return "since" in parameters && "waitMs" in parameters;
}

function asked({ client, form, parameters, endMs }: Watch, since: string | undefined): Promise<Answer> {
  const { operation } = form;
  const leftMs = Math.max(1, Math.min(WAIT_MS_MAX, Math.floor(endMs - performance.now())));
  // Version 0 is below all: there may be no publisher yet.
  const waiting = canWait(form) ? { since: since ?? "0", waitMs: since === undefined ? 0 : leftMs } : {};
  const all = { ...parameters, ...waiting };
  return isPaged(operation) ? askAllPages(client, operation, all) : client.ask(operation, all);
}

interface Difference {
  readonly before: ReadonlyMap<string, Row>;
  readonly present: ReadonlyMap<string, Row>;
}

/** Whether anything was different. */
function printDifference(form: OperationCommand, output: OutputForm, { before, present }: Difference): boolean {
  const gone = [...before].filter(([key]) => !present.has(key)).map(([, row]) => row);
  const come = [...present].filter(([key]) => !before.has(key)).map(([, row]) => row);
  if (gone.length > 0) printChanges(form, output, { mark: "-", rows: gone });
  if (come.length > 0) printChanges(form, output, { mark: "+", rows: come });
  return gone.length + come.length > 0;
}

const EVENTS = { " ": "present", "-": "gone", "+": "come" } as const;

interface Changes {
  readonly mark: keyof typeof EVENTS;
  readonly rows: readonly Row[];
}

function printChanges(form: OperationCommand, output: OutputForm, { mark, rows }: Changes): void {
  if (output === "json") {
    for (const row of rows) console.log(visible(JSON.stringify({ event: EVENTS[mark], row })));
    return;
  }
  if (output === "name") {
    for (const row of rows) console.log(`${mark} ${visible(nameOf(form, row))}`);
    return;
  }
  const cells = rows.map((row) => [mark, ...cellsOf(form, row, output)]);
  // The heads stand once, above the first rows.
  const heads = mark === " " ? [[" ", ...headsOf(form, output)]] : [];
  for (const line of aligned([...heads, ...cells])) console.log(line);
}
