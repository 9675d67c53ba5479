// The common part of the steps with Java programs: the check for the tools, and running them with a limit of time.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

const TOOLS = [
  { command: "java", versionFlag: "-version", needed: "Java 17 or newer" },
  { command: "mvn", versionFlag: "--version", needed: "Maven 3.8 or newer" },
];

// Servers start as `npm start` starts them.
const ENVIRONMENT = { ...process.env, NODE_COMPILE_CACHE: join(ROOT, "node_modules", ".cache", "roster") };

/** The tools that this machine lacks, in words; empty if Java and Maven are here. */
export function missingJavaTools(): readonly string[] {
  const missing = TOOLS.filter(({ command, versionFlag }) => spawnSync(command, [versionFlag]).status !== 0);
  return missing.map((tool) => tool.needed);
}

/** Runs a command in the root of the repository and resolves to its exit code; at `endMs` it is stopped. */
export function runInRoot(command: string, args: readonly string[], endMs: number): Promise<number> {
  // On SIGTERM the suite kills the servers and clients that it has started, so one signal to it is enough.
  const timeout = Math.max(1, endMs - Date.now());
  const child = spawn(command, args, { cwd: ROOT, env: ENVIRONMENT, stdio: "inherit", timeout });
  const forget = passSignalsOn(child);
  return new Promise((resolve) => {
    child.once("error", (error) => {
      console.error(`${command} could not be started: ${error.message}`);
      resolve(1);
    });
    child.once("exit", (code, signal) => {
      forget();
      if (signal !== null) console.error(`${command} was ended by ${signal}`);
      // Java catches SIGTERM, also the one sent at the limit, and exits by itself with a code that is not 0 either.
      resolve(code ?? 1);
    });
  });
}

function passSignalsOn(child: ChildProcess): () => void {
  const stop = (): void => {
    child.kill("SIGTERM");
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return () => {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  };
}
