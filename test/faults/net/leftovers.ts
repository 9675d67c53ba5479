// The remains of a killed run: processes in its namespaces, the namespaces, mounts, folders. Everything bears the
// number of the run's own process, so nothing of a living run is ever touched.

import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryCommand } from "./command.ts";

const NAME = "rosterfault";
const PATTERN = new RegExp(`^${NAME}(\\d+)-`);

/** Begins every name that a run gives. */
export function runPrefix(pid: number): string {
  return `${NAME}${pid}-`;
}

/** Removes what runs that are no longer there have left. Returns how many namespaces and folders that were. */
export async function removeLeftovers(): Promise<number> {
  const runs = new Set([...namespaces(), ...folders()].flatMap((name) => PATTERN.exec(name)?.[1] ?? []));
  let removed = 0;
  for (const run of runs) if (!isRunning(run)) removed += await removeRun(Number(run));
  return removed;
}

/** Ends and removes everything of one run, but for the folders named in `keep`. Safe to call twice. */
export async function removeRun(pid: number, keep: readonly string[] = []): Promise<number> {
  const prefix = runPrefix(pid);
  const own = namespaces().filter((name) => name.startsWith(prefix));
  for (const name of own) await endProcesses(name);
  for (const name of own) await tryCommand(["ip", "netns", "del", name]);
  const dirs = folders().filter((name) => name.startsWith(prefix));
  for (const mount of mountsUnder(dirs)) await tryCommand(["umount", "-l", mount]);
  const gone = dirs.filter((name) => !keep.includes(join(tmpdir(), name)));
  for (const name of gone) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  return own.length + gone.length;
}

/** Every process in a namespace of ours was started by us. */
async function endProcesses(namespace: string): Promise<void> {
  const { output } = await tryCommand(["ip", "netns", "pids", namespace]);
  for (const word of output.split("\n")) {
    const pid = Number(word);
    if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

function isRunning(pid: string): boolean {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) && readFileSync(file, "utf8").includes("testFaults");
}

function namespaces(): string[] {
  return existsSync("/run/netns") ? readdirSync("/run/netns").filter((name) => PATTERN.test(name)) : [];
}

function folders(): string[] {
  return readdirSync(tmpdir()).filter((name) => PATTERN.test(name));
}

function mountsUnder(dirs: readonly string[]): string[] {
  const places = readFileSync("/proc/mounts", "utf8").split("\n");
  const targets = places.map((line) => line.split(" ")[1] ?? "");
  return targets.filter((target) => dirs.some((dir) => target.startsWith(`${join(tmpdir(), dir)}/`)));
}
