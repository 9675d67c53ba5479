// Runs a command line: the command does its work or fails, and the exit code says which.

import { type Command, CommanderError } from "commander";
import { RegistryError } from "../base/errors.ts";
import type { Outcome } from "./commandKit.ts";
import { EXIT, exitCodeOf } from "./exitCodes.ts";
import { printFailure } from "./output.ts";
import { program } from "./program.ts";

/** Runs one command line and returns the exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const outcome: Outcome = { exit: EXIT.ok };
  const isJson = asksForJson(args);
  endQuietlyWithoutReader();
  const root = program(outcome);
  if (isJson) quietly(root);
  try {
    await root.parseAsync(args, { from: "user" });
    return outcome.exit;
  } catch (error) {
    return failed(error, isJson);
  }
}

/** Whether the output is to be JSON, also where the command line has a mistake elsewhere. */
function asksForJson(args: readonly string[]): boolean {
  return args.some(
    (arg, at) => /^(?:-o|--output=)json$/.test(arg) || (arg === "json" && /^(?:-o|--output)$/.test(args[at - 1] ?? "")),
  );
}

/** Commander prints mistakes of the command line itself; a script that reads JSON gets them as such. */
function quietly(command: Command): void {
  command.configureOutput({ writeErr: () => undefined });
  for (const each of command.commands) quietly(each);
}

/** The reader of a pipe has enough: `roster get slots | head`. */
function endQuietlyWithoutReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    throw error;
  });
}

function failed(error: unknown, isJson: boolean): number {
  // Commander reports --help and --version as errors too, with code 0.
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    if (isJson) {
      const message = `${error.message.replace(/^error: /, "")}; --help lists the arguments and flags`;
      const row = { code: "WRONG_USAGE", message, retry: false, exit: EXIT.wrongUsage };
      console.error(JSON.stringify({ error: row }));
    }
    return EXIT.wrongUsage;
  }
  if (error instanceof RegistryError) {
    const exit = exitCodeOf(error);
    printFailure(error, exit, isJson);
    return exit;
  }
  // This is a bug, so the stack belongs in the report.
  console.error("roster: unexpected failure:", error);
  return EXIT.failed;
}
