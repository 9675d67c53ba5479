// A command `watch` for each question of the table.

import type { Command } from "commander";
import { commandOf, type OperationCommand } from "../admin/command.ts";
import type { Operation } from "../admin/operation.ts";
import { addNodeFlags, clientOf, commandAt, type NodeFlags } from "./commandKit.ts";
import { addParameters, givenParameters } from "./operationCommands.ts";
import { stopSignal } from "./stopSignal.ts";
import { readWholeNumber } from "./wholeNumber.ts";

interface Flags extends NodeFlags {
  readonly intervalMs: string;
  readonly changes?: string;
  readonly forMs?: string;
}

// `watch` itself gives them.
const OWN_PARAMETERS: ReadonlySet<string> = new Set(["since", "waitMs", "after", "limit"]);

/** Adds the commands `watch` of these operations. */
export function addWatchCommands(root: Command, operations: readonly Operation[]): void {
  for (const operation of operations.filter(({ method }) => method === "GET")) {
    const form = commandOf(operation);
    const words = (form.words[0] ?? "").replace(/^(?:get|describe) /, "");
    const own = { ...form, flags: form.flags.filter(({ name }) => !OWN_PARAMETERS.has(name)) };
    const command = addNodeFlags(commandAt(root, `watch ${words}`), ["table", "wide", "json", "name"]);
    command.description(`${operation.about.replace(/\.$/, "")}; then each row that comes (+) or goes (-).`);
    addParameters(command, own);
    command
      .option("--interval-ms <ms>", "ask this often, where a node can't wait for a change itself", "2000")
      .option("--changes <number>", "end after this many changes")
      .option("--for-ms <ms>", "end after this time")
      .action(() => run(command, own));
  }
}

async function run(command: Command, form: OperationCommand): Promise<void> {
  const { intervalMs, changes, forMs, output, ...flags } = command.opts<Flags>();
  const bounds = {
    intervalMs: readWholeNumber("--interval-ms", intervalMs, { min: 100, max: 3_600_000 }),
    changesMax:
      changes === undefined
        ? Number.POSITIVE_INFINITY
        : readWholeNumber("--changes", changes, { min: 1, max: 1_000_000_000 }),
    endMs:
      forMs === undefined
        ? Number.POSITIVE_INFINITY
        : performance.now() + readWholeNumber("--for-ms", forMs, { min: 1, max: 1_000_000_000 }),
  };
  const client = clientOf(flags);
  const parameters = givenParameters(command, form);
  const { watch } = await import("./watch.ts");
  await watch({ client, form, parameters, output, ...bounds, stopped: stopSignal() });
}
