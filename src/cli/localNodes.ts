// The commands' proof to a node on this machine: each running server leaves the token of its admin-port in a folder of
// its user, and takes it away when it ends. A command of the same user finds it by the port; another user's can't read
// it. The token is a new one with each start, so one that was left behind proves nothing.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isToken } from "../access/secretForm.ts";
import { isLoopback, isWildcard } from "../server/config/loopback.ts";
import { type Environment, userFolder } from "./contexts.ts";

/** The admin-port of a node, and the token that proves its user there. */
export interface LocalNode {
  readonly bind: string;
  readonly port: number;
  readonly token: string;
}

function folderOf(environment: Environment): string {
  const isRuntime = environment["XDG_RUNTIME_DIR"]?.startsWith("/") === true;
  return join(userFolder(environment, isRuntime ? "XDG_RUNTIME_DIR" : "XDG_STATE_HOME", ".local/state"), "nodes");
}

/** Leaves the token for commands; returns how to take it away. Throws an error of the system. */
export function offerToken(environment: Environment, { bind, port, token }: LocalNode): () => void {
  const folder = folderOf(environment);
  const file = join(folder, String(port));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A file that is there keeps its mode, so it is made anew.
  rmSync(file, { force: true });
  writeFileSync(file, JSON.stringify({ bind, token }), { mode: 0o600, flag: "wx" });
  return () => {
    // A server that came after this one on the same port has its own token there.
    if (readNode(file)?.token === token) rmSync(file, { force: true });
  };
}

/** The token for a node on this machine, if a server of this user has left one for that address. */
export function offeredToken(environment: Environment, { hostname, port }: URL): string | undefined {
  if (!/^\d+$/.test(port)) return undefined;
  const node = readNode(join(folderOf(environment), port));
  if (node === undefined) return undefined;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const isHere = isLoopback(host) && (isLoopback(node.bind) || isWildcard(node.bind));
  return isHere || host === node.bind.replace(/^\[(.*)\]$/, "$1") ? node.token : undefined;
}

function readNode(file: string): Omit<LocalNode, "port"> | undefined {
  try {
    const { bind, token } = JSON.parse(readFileSync(file, "utf8")) as { bind?: unknown; token?: unknown };
    const isWhole = typeof bind === "string" && typeof token === "string" && isToken(token);
    return isWhole ? { bind, token } : undefined;
  } catch {
    return undefined;
  }
}
