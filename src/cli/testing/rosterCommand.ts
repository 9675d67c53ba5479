// `roster` as a process of its own, as an operator runs it.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "../main.ts");

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The output so far. */
  readonly out: () => string;
}

/** Starts a command line; `input` is its standard input. */
export function startRoster(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  input = "",
): RunningCommand {
  const env = { PATH: process.env["PATH"] ?? "", ...environment };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
  let [out, error] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    error += text;
  });
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve({ code, out, error }));
  });
  return { child, ended, out: () => out };
}
