// SOFARegistry's real Java clients in a process of their own, with the same orders and the same history as ours.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import type { HistoryEvent } from "../history/event.ts";
import { tryCommand } from "../net/command.ts";
import type { Network } from "../net/network.ts";
import type { ClientCommand, SessionPlace } from "./commands.ts";
import type { ClientHost } from "./fleet.ts";

const SUITE = join(import.meta.dirname, "..", "..", "clients", "java");
const LIBRARY = join(SUITE, "target", "lib");
const SOURCE = join(import.meta.dirname, "java", "FaultClient.java");
const BUILD_MS = 5 * 60_000;

// A few clients on a machine that is full of other processes: start fast, stay small.
const OPTIONS = ["-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

export interface JavaClientsOptions {
  readonly network: Network;
  readonly host: string;
  readonly sessions: readonly SessionPlace[];
  readonly classPath: string;
  /** For what Java says beside the history. */
  readonly dir: string;
  readonly record: (event: HistoryEvent) => void;
}

/** Compiles the program into `dir`; returns its class path, or why there can't be any. */
export async function prepareJava(dir: string): Promise<{ classPath?: string; missing?: string }> {
  for (const [program, flag] of [
    ["java", "-version"],
    ["javac", "-version"],
    ["mvn", "--version"],
  ] as const) {
    if (!(await tryCommand([program, flag])).isOk) return { missing: `${program} (Java 17 and Maven)` };
  }
  // The build of the Java acceptance suite brings the client and what it depends on.
  if (!existsSync(LIBRARY)) {
    const built = await tryCommand(["mvn", "-q", "-B", "-f", SUITE, "package"], "", BUILD_MS);
    if (!built.isOk) return { missing: `the build of ${SUITE}: ${built.output}` };
  }
  mkdirSync(dir, { recursive: true });
  const library = join(LIBRARY, "*");
  const compiled = await tryCommand(["javac", "-d", dir, "-cp", library, SOURCE], "", BUILD_MS);
  return compiled.isOk ? { classPath: [dir, library].join(delimiter) } : { missing: compiled.output };
}

export function startJavaClients(options: JavaClientsOptions): ClientHost {
  const { network, host, sessions, classPath, dir, record } = options;
  const places = sessions.map((session) => `${session.name}=${session.host}`);
  const command = ["java", `@${join(SUITE, "jvm.options")}`, ...OPTIONS, "-cp", classPath, "FaultClient", ...places];
  const [program = "", ...args] = network.on(host, command);
  const errors = openSync(join(dir, "java.log"), "a");
  const child = spawn(program, args, { stdio: ["pipe", "pipe", errors] });
  closeSync(errors);
  // Its end closes the pipe under us.
  child.stdin?.on("error", () => undefined);
  if (child.stdout !== null) {
    createInterface(child.stdout).on("line", (line) => record(JSON.parse(line) as HistoryEvent));
  }
  return {
    order: (order) => child.stdin?.write(`${wordsOf(order).join("\t")}\n`),
    kill: () => end(child),
  };
}

function wordsOf(command: ClientCommand): readonly string[] {
  switch (command.kind) {
    case "open":
      return ["open", command.client, command.first];
    case "publish":
      return ["publish", command.client, command.registration, command.service];
    case "subscribe":
      return ["subscribe", command.client, command.subscription, command.service];
    case "unpublish":
      throw new Error("a Java client's publishers are not taken back: they can't be used again");
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
