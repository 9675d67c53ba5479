// Processes that a benchmark starts: with as many open files as the machine allows, and stopped for certain at its end.

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

// The shell raises its limit as far as it may, and becomes the program: the process id stays.
const WITH_FILES = 'ulimit -n 1048576 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$@"';
const STOP_MS_MAX = 15_000;

export interface SpawnedOptions extends Pick<SpawnOptions, "cwd" | "env"> {
  /** Where its output goes; nowhere by default, but for what it says on stderr. */
  readonly logFile?: string;
  /** A channel for messages, as `fork` has it. */
  readonly hasChannel?: boolean;
  /** Its standard input and output are pipes. */
  readonly hasPipes?: boolean;
}

export interface Spawned {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves with its code or signal when it has ended, also before anybody asked for it. */
  readonly ended: Promise<string>;
  /** Asks it to end, forces it after a while; resolves when it is gone. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

/** Starts a program with its arguments. */
export function spawned(command: readonly string[], options: SpawnedOptions = {}): Spawned {
  const { logFile, hasChannel = false, hasPipes = false, ...rest } = options;
  const log = logFile === undefined ? undefined : openSync(logFile, "a");
  const [input, output] = hasPipes ? (["pipe", "pipe"] as const) : (["ignore", log ?? "ignore"] as const);
  const stdio = [input, output, log ?? "inherit", ...(hasChannel ? (["ipc"] as const) : [])] as const;
  const child = spawn("sh", ["-c", WITH_FILES, "sh", ...command], { ...rest, stdio: [...stdio] });
  if (log !== undefined) closeSync(log);
  running.add(child);
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      running.delete(child);
      resolve(signal ?? String(code));
    });
  });
  // A caller that does not look at it is not interested in the failed start.
  ended.catch(() => undefined);
  const stop = async () => {
    if (!running.has(child)) return;
    child.kill("SIGTERM");
    const isStuck = await Promise.race([ended.then(() => false), sleep(STOP_MS_MAX, true, { ref: false })]);
    if (isStuck) child.kill("SIGKILL");
    await ended;
  };
  return { child, pid: child.pid ?? 0, ended, stop };
}

/** Rejects when the process has ended, with its last output. Callers may ignore it. */
export function failureOf({ ended }: Spawned, logFile: string): Promise<never> {
  const failed = ended.then((how): never => {
    throw new Error(`the server ended with ${how}: ${lastLines(logFile)}`);
  });
  failed.catch(() => undefined);
  return failed;
}

const LOG_LINES = 8;

function lastLines(logFile: string): string {
  // A server that was stopped has no log any more.
  if (!existsSync(logFile)) return "";
  return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-LOG_LINES).join("\n");
}
