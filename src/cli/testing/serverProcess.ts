// `roster server` as a separate process, as an operator starts it.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { defined } from "../../base/assert.ts";
import { eventually } from "../../server/testing/eventually.ts";

const ROOT = join(import.meta.dirname, "../../..");
const MAIN = join(ROOT, "src/cli/main.ts");

// For a machine that is busy with other tests.
const START_MS_MAX = 60_000;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: string | number | boolean;
}

export interface ServerProcess {
  readonly child: ChildProcess;
  /** Settles with the exit code, or the signal. */
  readonly ended: Promise<number | string | null>;
  /** The output on both streams. */
  readonly printed: () => string;
  readonly lines: () => readonly LogLine[];
  /** Resolves with the line of that sentence as soon as it is there. */
  line(msg: string): Promise<LogLine>;
}

export interface ServerOptions {
  readonly flags?: Readonly<Record<string, string | number>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** A shell command instead of the server's own; the server's command line is `"$@"`. */
  readonly shell?: string;
  /** The command that starts the server, instead of Node and the program. */
  readonly command?: readonly string[];
}

/** Starts a registry with free ports and its own directory; it ends with the test. */
export function startProcess(
  t: TestContext,
  { flags, environment, shell, command }: ServerOptions = {},
): ServerProcess {
  const directory = mkdtempSync(join(tmpdir(), "roster-process-"));
  const free = {
    "bolt-port": 0,
    "eureka-port": 0,
    "nacos-port": 0,
    "nacos-grpc-port": 0,
    "zookeeper-port": 0,
    "consul-port": 0,
    "dns-port": 0,
    "http-port": 0,
    "meta-http-port": 0,
    "data-http-port": 0,
    "admin-port": 0,
  };
  const all = { ...free, "data-dir": join(directory, "data"), ...flags };
  const server = [
    ...(command ?? [process.execPath, MAIN, "server"]),
    ...Object.entries(all).map(([flag, value]) => `--${flag}=${value}`),
  ];
  const [file = "", ...args] = shell === undefined ? server : ["sh", "-c", shell, "sh", ...server];
  const env = { ...process.env, ...environment };
  const child = spawn(file, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  const print = (chunk: unknown) => {
    printed += String(chunk);
  };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", print);
  const ended = new Promise<number | string | null>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  const lines = () => linesOf(printed);
  return {
    child,
    ended,
    printed: () => printed,
    lines,
    line: async (msg) => {
      const found = () => lines().find((line) => line.msg === msg);
      await eventually(
        () => found() ?? printed,
        () => found() !== undefined,
        START_MS_MAX,
      );
      return defined(found(), "it was just there");
    },
  };
}

function linesOf(printed: string): LogLine[] {
  // A terminal ends lines with CR LF.
  return printed
    .split(/\r?\n/)
    .flatMap((line) => (line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line)] : []));
}
