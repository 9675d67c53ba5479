// Asks a server that runs with gcHook.ts for its pauses and its memory.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process that has the hook, and the file into which it writes. */
export interface Probed {
  readonly pid: number;
  readonly probeFile: string;
}

export interface Probe {
  /** The pauses since the last time that it was asked. */
  readonly pausesMs: readonly number[];
  /** After a full collection. */
  readonly memory: NodeJS.MemoryUsage;
}

const ANSWER_MS_MAX = 60_000;

/** Collects all garbage of the process and says what there was. */
export async function probe({ pid, probeFile }: Probed): Promise<Probe> {
  rmSync(probeFile, { force: true });
  process.kill(pid, "SIGUSR2");
  for (let waitedMs = 0; waitedMs < ANSWER_MS_MAX; waitedMs += 20) {
    await sleep(20);
    if (existsSync(probeFile)) return JSON.parse(readFileSync(probeFile, "utf8")) as Probe;
  }
  throw new Error(`process ${pid} has no garbage collection hook`);
}
