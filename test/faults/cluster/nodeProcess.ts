// One node of the cluster: a process of the server, with what can be done to a process.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Network } from "../net/network.ts";
import { ADMIN_TOKEN_FILE } from "./adminToken.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** The program that nodes run at first, if it is another one than this: a rolling restart is an upgrade then. */
const FIRST_ROOT = process.env["FAULTS_FROM"] ?? ROOT;

export type Role = "meta" | "data" | "session";

export interface NodeOptions {
  /** The node's name is that of its host, too. */
  readonly name: string;
  readonly role: Role;
  readonly network: Network;
  /** Everything that follows `roster server`. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
}

// The ports of the server's own defaults, one role on each address.
export const BOLT_PORT = 9_600;
export const NODE_PORT = 9_620;
const ADMIN_PORT = 9_604;
const HTTP_PORTS: Readonly<Record<Role, number>> = { session: 9_603, meta: 9_615, data: 9_622 };

export class NodeProcess {
  readonly name: string;
  readonly role: Role;
  readonly #options: NodeOptions;
  #child: ChildProcess | undefined;
  #isFrozen = false;
  #root = FIRST_ROOT;
  #settings: Readonly<Record<string, string>> = {};
  /** We have asked for its end. */
  #mayEnd = false;
  /** The report on a process that ended by itself. */
  #ownEnd: string | undefined;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.role = options.role;
    this.#options = options;
  }

  get httpUrl(): string {
    return `http://${this.#options.network.address(this.name)}:${HTTP_PORTS[this.role]}`;
  }

  /** Its port for operators; a program of an earlier release has none. */
  get adminUrl(): string {
    return `http://${this.#options.network.address(this.name)}:${ADMIN_PORT}`;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** The way in which the process ended without being told to; undefined if it did not. */
  get ownEnd(): string | undefined {
    return this.#ownEnd;
  }

  start(): void {
    if (this.isRunning) return;
    const log = openSync(this.#options.logFile, "a");
    const { network, flags, environment } = this.#options;
    const own = [...flags, ...operatorFlags(this.#root)];
    const command = [process.execPath, join(this.#root, "src/cli/main.ts"), "server", ...own];
    const [program = "", ...args] = network.on(this.name, command);
    const cache = join(this.#root, "node_modules", ".cache", "roster");
    const env = { ...process.env, ...environment, ...this.#settings, NODE_COMPILE_CACHE: cache };
    const child = spawn(program, args, { cwd: this.#root, env, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#child = child;
    this.#mayEnd = false;
    this.#isFrozen = false;
    child.once("exit", (code, signal) => {
      if (child === this.#child && !this.#mayEnd) this.#ownEnd = `${this.name} ended by itself (${signal ?? code})`;
    });
  }

  /** From its next start on the node runs this program, if it was another one. */
  upgrade(): void {
    this.#root = ROOT;
  }

  /** From its next start on the node has these settings beside its usual ones: names of the environment, and values. */
  configure(settings: Readonly<Record<string, string>>): void {
    this.#settings = settings;
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** An orderly stop. Resolves to whether the process ended within the limit. */
  async terminate(limitMs: number): Promise<boolean> {
    const timer = setTimeout(() => this.#child?.kill("SIGKILL"), limitMs);
    const started = performance.now();
    await this.#end("SIGTERM");
    clearTimeout(timer);
    return performance.now() - started < limitMs;
  }

  freeze(): void {
    this.#child?.kill("SIGSTOP");
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
    this.#isFrozen = false;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#mayEnd = true;
    if (child === undefined || !this.isRunning) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
    this.#isFrozen = false;
  }
}

/** The suite asks from another host than the node's own. */
function operatorFlags(root: string): readonly string[] {
  const keys = readFileSync(join(root, "src/server/config/clusterKeys.ts"), "utf8");
  return [
    ...(keys.includes('"admin-bind"') ? ["--admin-bind=0.0.0.0"] : []),
    ...(keys.includes('"admin-token-file"') ? [`--admin-token-file=${ADMIN_TOKEN_FILE}`] : []),
  ];
}
