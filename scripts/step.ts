// One step of check or test: a program that is run, timed, and judged by its exit code.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { delimiter, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const PROGRAMS = join(ROOT, "node_modules/.bin");
// Each test file is a process of its own, which would strip and compile hundreds of sources again: half of its time.
const COMPILED = join(ROOT, "node_modules/.cache/roster");

/** A command, with its name. */
export interface Step {
  readonly name: string;
  /** A program in node_modules/.bin, or `node`, with its arguments. */
  readonly command: readonly [program: string, ...args: string[]];
  /** After so long it is ended, and has failed. Without it, STEP_MINUTES_MAX. */
  readonly minutesMax?: number;
  /** It only computes: it has the processors while no other program wants them. */
  readonly isBackground?: boolean;
}

// The longest step takes four minutes on an idle machine, and longer beside others; one that hangs must not hold up a
// run for hours.
const STEP_MINUTES_MAX = 20;
// A process that does not end when it is asked to is killed after this.
const KILL_AFTER_MS = 5_000;

/** How it went. */
export interface StepResult {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** Everything it wrote, unless that went straight to the terminal. */
  readonly output: string;
}

/** Runs a step in the repository's root. `shown` lets its output through, otherwise it is kept. */
export function runStep(step: Step, shown = false): Promise<StepResult> {
  const { name, command, minutesMax = STEP_MINUTES_MAX, isBackground = false } = step;
  const [program, ...args] = command;
  const path = program === "node" ? process.execPath : join(PROGRAMS, program);
  const started = performance.now();
  // As npm does it: what a step starts runs on the repository's own Node, too.
  const env = {
    NODE_COMPILE_CACHE: COMPILED,
    ...process.env,
    PATH: `${PROGRAMS}${delimiter}${process.env["PATH"] ?? ""}`,
  };
  const child = spawn(path, args, {
    cwd: ROOT,
    env,
    stdio: ["ignore", shown ? "inherit" : "pipe", shown ? "inherit" : "pipe"],
    // A group of its own: what a step has started ends with it.
    detached: true,
  });
  if (isBackground && child.pid !== undefined) putLast(child.pid);
  const limit = new TimeLimit(child, minutesMax);
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    const end = (ok: boolean, reason = "") => {
      limit.stop();
      const late = limit.isOver ? `\ntimed out after ${minutesMax} min: ${name}: ${command.join(" ")}\n` : "";
      const output = Buffer.concat(chunks).toString() + reason + late;
      if (shown) process.stdout.write(late);
      resolve({ name, ok: ok && !limit.isOver, seconds: (performance.now() - started) / 1_000, output });
    };
    child.once("error", (error) => end(false, error.message));
    child.once("close", (code) => end(code === 0));
  });
}

/** Gives a process, which leads a session of its own, the lowest priority; what it starts later inherits that. */
function putLast(pid: number): void {
  const { PRIORITY_LOW } = constants.priority;
  setPriority(pid, PRIORITY_LOW);
  // Linux may share its processors among sessions first, each with a priority of its own (sched(7), autogroup).
  const ofSession = `/proc/${pid}/autogroup`;
  if (existsSync(ofSession)) writeFileSync(ofSession, `${PRIORITY_LOW}`);
}

const ENDINGS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends the child, and what it has started, when its time is over or when this process is told to end. */
class TimeLimit {
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  #killer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(child: ChildProcess, minutesMax: number) {
    this.#child = child;
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#kill("SIGTERM");
      this.#killer = setTimeout(() => this.#kill("SIGKILL"), KILL_AFTER_MS);
    }, minutesMax * 60_000);
    for (const signal of ENDINGS) process.once(signal, this.#interrupted);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#killer);
    for (const signal of ENDINGS) process.off(signal, this.#interrupted);
  }

  readonly #interrupted = (signal: NodeJS.Signals): void => {
    this.#kill(signal);
    process.exit(1);
  };

  #kill(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch (error) {
      // The group is gone already.
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

/** `ok    1.2 s  types` */
export function resultLine({ name, ok, seconds }: StepResult): string {
  return `${ok ? "ok  " : "FAIL"} ${seconds.toFixed(1).padStart(6)} s  ${name}`;
}
