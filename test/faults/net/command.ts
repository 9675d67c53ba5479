// Programs of the machine that the suite runs: `ip`, `nft`, `tc`, `mount`. Each is bounded and fails loudly.

import { spawn } from "node:child_process";

const LIMIT_MS = 10_000;

export interface CommandResult {
  readonly isOk: boolean;
  /** Its output, errors included. */
  readonly output: string;
}

/** Runs a program to its end; what it is to read comes from `input`. Never rejects. */
export function tryCommand(command: readonly string[], input = "", limitMs = LIMIT_MS): Promise<CommandResult> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], timeout: limitMs });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  // A program that ends without reading closes the pipe under us.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ isOk: false, output: error.message }));
    child.once("close", (code) => resolve({ isOk: code === 0, output: Buffer.concat(chunks).toString() }));
  });
}

/** The same, but throws if the program fails. */
export async function runCommand(command: readonly string[], input = ""): Promise<string> {
  const { isOk, output } = await tryCommand(command, input);
  if (!isOk) throw new Error(`${command.join(" ")} failed: ${output.trim()}\n${input}`);
  return output;
}
