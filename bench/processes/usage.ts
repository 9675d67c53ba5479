// Linux's figures of a process: processor time and memory.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Processor time of a process and all its threads so far, in seconds. */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) nanoseconds += threadNanoseconds(pid, thread);
  return nanoseconds / 1e9;
}

// /proc/PID/stat counts in steps of 10 ms, which is as much as a whole push to a few hundred subscribers takes.
function threadNanoseconds(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    // A thread that ended while the list was read.
    return 0;
  }
}

/** Processor time of several processes together. */
export function cpuSecondsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

/** The present memory of a process. */
export function rssBytes(pid: number): number {
  return statusBytes(pid, "VmRSS");
}

/** The most that a process has had in memory. */
export function peakRssBytes(pid: number): number {
  return statusBytes(pid, "VmHWM");
}

export function rssBytesOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + rssBytes(pid), 0);
}

export function peakRssBytesOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + peakRssBytes(pid), 0);
}

function statusBytes(pid: number, field: string): number {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

/** The size of a file, or of a folder with its content; symbolic links count as nothing. */
export function diskBytes(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.isSymbolicLink())
    .reduce((sum, { name }) => sum + diskBytes(join(path, name)), 0);
}
