// The memory of a server's processes, and the pauses of its garbage collection.

import { type Figure, mebibytes, percentile } from "../figures.ts";
import { type Probe, type Probed, probe } from "../processes/gcProbe.ts";
import { rssBytes } from "../processes/usage.ts";
import type { ServerProcess } from "../targets/target.ts";

export interface Memory {
  readonly rss: number;
  /** After a full collection; undefined where the server is no Node process of ours. */
  readonly heap: number | undefined;
}

/** Collects all garbage of a process that has the hook. */
export async function memoryOf(process: ServerProcess): Promise<Memory> {
  // First what it has of itself, then what is left when it was made to collect.
  const rss = rssBytes(process.pid);
  const { probeFile } = process;
  if (probeFile === undefined) return { rss, heap: undefined };
  const { memory } = await probe({ pid: process.pid, probeFile });
  return { rss, heap: memory.heapUsed + memory.external };
}

/** The growth between the two measurements by this number of instances. */
export function memoryFigures(name: string, memories: readonly (Memory | undefined)[], instances: number): Figure[] {
  const [before, after] = memories;
  if (before === undefined || after === undefined) return [];
  const rss: Figure[] = [
    { name: `${name}: RSS an instance`, value: (after.rss - before.rss) / instances, unit: "B" },
    { name: `${name}: RSS`, value: mebibytes(after.rss), unit: "MiB" },
  ];
  if (before.heap === undefined || after.heap === undefined) return rss;
  const heap = (after.heap - before.heap) / instances;
  return [...rss, { name: `${name}: heap and buffers after GC, an instance`, value: heap, unit: "B", isAside: true }];
}

/** The pauses of those of the processes that have the hook, while `work` is done. */
export async function pausesWhile<Result>(
  processes: readonly ServerProcess[],
  work: () => Promise<Result>,
): Promise<{ result: Result; figures: Figure[] }> {
  const probed = processes.flatMap(({ name, pid, probeFile }) =>
    probeFile === undefined ? [] : [{ name, pid, probeFile }],
  );
  await Promise.all(probed.map(probe));
  const result = await work();
  const found = await Promise.all(probed.map(async (process) => pauseFigures(process, await probe(process))));
  return { result, figures: found.flat() };
}

function pauseFigures({ name }: Probed & { name: string }, { pausesMs }: Probe): Figure[] {
  return [
    { name: `${name}: GC pause p99`, value: percentile(pausesMs, 0.99), unit: "ms" },
    { name: `${name}: GC pause max`, value: percentile(pausesMs, 1), unit: "ms" },
    { name: `${name}: GC pauses`, value: pausesMs.length, unit: "" },
  ];
}
