// One step of check or test: a program that is run, timed, and judged by its exit code.

import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const PROGRAMS = join(ROOT, "node_modules/.bin");

/** What to run, and what to call it. */
export interface Step {
  readonly name: string;
  /** A program in node_modules/.bin, or `node`, with its arguments. */
  readonly command: readonly [program: string, ...args: string[]];
}

/** How it went. */
export interface StepResult {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** Everything it wrote, unless that went straight to the terminal. */
  readonly output: string;
}

/** Runs a step in the repository's root. `shown` lets its output through, otherwise it is kept. */
export function runStep({ name, command }: Step, shown = false): Promise<StepResult> {
  const [program, ...args] = command;
  const path = program === "node" ? process.execPath : join(PROGRAMS, program);
  const started = performance.now();
  // As npm does it: what a step starts runs on the repository's own Node, too.
  const env = { ...process.env, PATH: `${PROGRAMS}${delimiter}${process.env["PATH"] ?? ""}` };
  const child = spawn(path, args, {
    cwd: ROOT,
    env,
    stdio: ["ignore", shown ? "inherit" : "pipe", shown ? "inherit" : "pipe"],
  });
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    const end = (ok: boolean, reason = "") => {
      const output = Buffer.concat(chunks).toString() + reason;
      resolve({ name, ok, seconds: (performance.now() - started) / 1_000, output });
    };
    child.once("error", (error) => end(false, error.message));
    child.once("close", (code) => end(code === 0));
  });
}

/** `ok    1.2 s  types` */
export function resultLine({ name, ok, seconds }: StepResult): string {
  return `${ok ? "ok  " : "FAIL"} ${seconds.toFixed(1).padStart(6)} s  ${name}`;
}
