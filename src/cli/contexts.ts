// Contexts: names for clusters, each with the URLs of some of its nodes and perhaps a token, in `contexts.json` in the
// user's folder for settings ($XDG_CONFIG_HOME/roster, else ~/.config/roster). Only the user can read it.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fail } from "../base/errors.ts";
import type { TlsFiles } from "./send.ts";

/** The file's content. */
export interface Contexts {
  /** The name of the one that commands go to; null for none. */
  readonly current: string | null;
  readonly contexts: Readonly<Record<string, Context>>;
}

export interface Context {
  /** The admin-ports of some nodes; the first that answers is asked. */
  readonly urls: readonly string[];
  /** Proves who the commands come from; `roster login` sets it. */
  readonly token?: string;
  /** Files with the nodes' authority, and with a certificate for this user, with its key. */
  readonly tls?: TlsFiles;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The admin-port of a node on this machine. */
export const LOCAL_URL = "http://127.0.0.1:9604";

const NONE: Contexts = { current: null, contexts: {} };

/** The folder of this program in one of the user's folders of the XDG base directories. */
export function userFolder(environment: Environment, variable: string, otherwise: string): string {
  const set = environment[variable];
  // The specification says that a relative path is to be ignored.
  return join(set?.startsWith("/") === true ? set : join(environment["HOME"] ?? homedir(), otherwise), "roster");
}

export function contextsFile(environment: Environment): string {
  return join(userFolder(environment, "XDG_CONFIG_HOME", ".config"), "contexts.json");
}

/** Throws FILE_UNUSABLE. */
export function readContexts(environment: Environment): Contexts {
  const file = contextsFile(environment);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return NONE;
    throw fail("FILE_UNUSABLE", { file, reason: String(error) });
  }
  const read = parsed(text);
  if (!isContexts(read)) {
    throw fail("FILE_UNUSABLE", {
      file,
      expected: '{"current": null, "contexts": {"NAME": {"urls": ["http://..."]}}}',
    });
  }
  return read;
}

/** Replaces the file as a whole. Throws FILE_UNUSABLE. */
export function writeContexts(environment: Environment, contexts: Contexts): void {
  const file = contextsFile(environment);
  try {
    mkdirSync(dirname(file), { recursive: true });
    // A file that is there keeps its mode, so it is made anew.
    rmSync(`${file}.new`, { force: true });
    writeFileSync(`${file}.new`, `${JSON.stringify(contexts, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw fail("FILE_UNUSABLE", { file, reason: String(error) });
  }
}

/** The context of a name. Throws CONTEXT_UNKNOWN. */
export function contextOf({ contexts }: Contexts, name: string): Context {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context !== undefined) return context;
  throw fail("CONTEXT_UNKNOWN", { context: name, known: Object.keys(contexts) });
}

export interface Chosen extends TlsFiles {
  readonly url?: string | undefined;
  readonly context?: string | undefined;
}

/** The nodes that a command goes to. */
export interface Target {
  readonly urls: readonly string[];
  /** The name of the context; undefined if a flag or variable names URLs, or none is set. */
  readonly context?: string;
  readonly token?: string;
  readonly tls: TlsFiles;
}

/**
 * The nodes that a command goes to: those of `--url`, of `--context`, of ROSTER_URL, of ROSTER_CONTEXT, of the current
 * context, or the node on this machine. ROSTER_TOKEN takes the place of a context's token. Throws CONTEXT_UNKNOWN or
 * FILE_UNUSABLE.
 */
export function chosenTarget(chosen: Chosen, environment: Environment): Target {
  const { ROSTER_TOKEN: token = "" } = environment;
  const nodes = chosenNodes(chosen, environment);
  return { ...nodes, ...(token !== "" && { token }), tls: chosenTls(chosen, environment, nodes.tls) };
}

/** Each file by its flag, by its variable (ROSTER_CACERT and the like), or of the context. */
export function chosenTls(chosen: TlsFiles, environment: Environment, otherwise: TlsFiles = {}): TlsFiles {
  const file = (name: keyof TlsFiles) =>
    chosen[name] ?? (environment[`ROSTER_${name.toUpperCase()}`] || otherwise[name]);
  const files = { cacert: file("cacert"), cert: file("cert"), key: file("key") };
  return Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
}

function chosenNodes({ url, context }: Chosen, environment: Environment): Omit<Target, "tls"> & Context {
  if (url !== undefined) return { urls: url.split(",") };
  if (context !== undefined) return targetOf(readContexts(environment), context);
  const { ROSTER_URL: setUrl = "", ROSTER_CONTEXT: setContext = "" } = environment;
  if (setUrl !== "") return { urls: setUrl.split(",") };
  const all = readContexts(environment);
  const name = setContext === "" ? all.current : setContext;
  return name === null ? { urls: [LOCAL_URL] } : targetOf(all, name);
}

function targetOf(all: Contexts, context: string): Context & { readonly context: string } {
  return { ...contextOf(all, context), context };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isContexts(value: unknown): value is Contexts {
  if (!isRecord(value) || !isRecord(value["contexts"])) return false;
  const { current, contexts } = value;
  return (current === null || typeof current === "string") && Object.values(contexts).every(isContext);
}

function isContext(value: unknown): boolean {
  if (!isRecord(value) || !Array.isArray(value["urls"])) return false;
  if (value["token"] !== undefined && typeof value["token"] !== "string") return false;
  const { tls = {} } = value;
  if (!isRecord(tls) || !Object.values(tls).every((file) => typeof file === "string")) return false;
  return value["urls"].length > 0 && value["urls"].every((url) => typeof url === "string");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
