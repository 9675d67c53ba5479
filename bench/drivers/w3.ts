// W3, memory: what each process has before and after so many instances; then, if asked for, how long garbage collection
// stops it while 50,000 registrations a second change what they say.

import { setTimeout as sleep } from "node:timers/promises";
import { type Figure, mebibytes, percentile } from "../figures.ts";
import { dealInstances, type Instance } from "../instances.ts";
import { type Probe, type Probed, probe } from "../processes/gcProbe.ts";
import { rssBytes } from "../processes/usage.ts";
import { nowMs } from "../protocols/clock.ts";
import type { ServerProcess } from "../targets/target.ts";
import { Publishers } from "./publishers.ts";
import type { Bench } from "./task.ts";

const WINDOW = 512;
// After this the garbage of what was done is collected or never will be.
const IDLE_MS = 5_000;
// Servers bound what one client may register.
const INSTANCES_A_CONNECTION = 50_000;
const CONNECTIONS_MIN = 10;
const WRITES_A_SECOND = 50_000;
const WRITE_SECONDS = 20;
const TICK_MS = 5;

export interface W3 {
  readonly instances: number;
  readonly services: number;
  readonly hasWrites: boolean;
}

interface Memory {
  readonly rss: number;
  /** After a full collection; undefined where the server is no Node process of ours. */
  readonly heap: number | undefined;
}

export async function w3(bench: Bench, size: W3): Promise<Figure[]> {
  const { protocol, address, processes } = bench;
  const services = Array.from({ length: size.services }, (_, number) => ({ workload: "w3", number }));
  await protocol.prepare(address, services);
  const connections = Math.max(CONNECTIONS_MIN, Math.ceil(size.instances / INSTANCES_A_CONNECTION));
  const publishers = await Publishers.open({ protocol, address, ...size, connections, window: WINDOW });
  await sleep(IDLE_MS);
  const before = await Promise.all(processes.map(memoryOf));
  const instances = dealInstances("w3", size.instances, size.services);
  for (const instance of instances) publishers.of(instance).register(instance);
  await publishers.settled();
  await sleep(IDLE_MS);
  const after = await Promise.all(processes.map(memoryOf));

  const figures = processes.flatMap(({ name }, at) => memoryFigures(name, [before[at], after[at]], size.instances));
  return size.hasWrites ? [...figures, ...(await writes(bench, publishers, instances))] : figures;
}

async function memoryOf(process: ServerProcess): Promise<Memory> {
  // First what it has of itself, then what is left when it was made to collect.
  const rss = rssBytes(process.pid);
  const { probeFile } = process;
  if (probeFile === undefined) return { rss, heap: undefined };
  const { memory } = await probe({ pid: process.pid, probeFile });
  return { rss, heap: memory.heapUsed + memory.external };
}

function memoryFigures(name: string, memories: readonly (Memory | undefined)[], instances: number): Figure[] {
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

/** Every instance says something else in turn, at a steady rate. */
async function writes({ processes }: Bench, publishers: Publishers, instances: readonly Instance[]): Promise<Figure[]> {
  const probed = processes.flatMap(({ name, pid, probeFile }) =>
    probeFile === undefined ? [] : [{ name, pid, probeFile }],
  );
  await Promise.all(probed.map(probe));
  const startMs = nowMs();
  let written = 0;
  for (let nowSeconds = 0; nowSeconds < WRITE_SECONDS; nowSeconds = (nowMs() - startMs) / 1_000) {
    const due = Math.floor(nowSeconds * WRITES_A_SECOND);
    for (; written < due; written++) {
      const instance = instances[written % instances.length] as Instance;
      const revision = 1 + Math.floor(written / instances.length);
      publishers.of(instance).register({ ...instance, revision });
    }
    await sleep(TICK_MS);
  }
  await publishers.settled();
  const rate = (written / (nowMs() - startMs)) * 1_000;
  const pauses = await Promise.all(probed.map(async (process) => pauseFigures(process, await probe(process))));
  return [{ name: "writes", value: rate, unit: "/s", isAside: true }, ...pauses.flat()];
}

function pauseFigures({ name }: Probed & { name: string }, { pausesMs }: Probe): Figure[] {
  return [
    { name: `${name}: GC pause p99`, value: percentile(pausesMs, 0.99), unit: "ms" },
    { name: `${name}: GC pause max`, value: percentile(pausesMs, 1), unit: "ms" },
    { name: `${name}: GC pauses`, value: pausesMs.length, unit: "" },
  ];
}
