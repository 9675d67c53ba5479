// W3, memory: what each process has before and after so many instances.

import { setTimeout as sleep } from "node:timers/promises";
import type { Figure } from "../figures.ts";
import { dealInstances } from "../instances.ts";
import { memoryFigures, memoryOf } from "./memory.ts";
import { Publishers } from "./publishers.ts";
import type { Bench } from "./task.ts";

const WINDOW = 512;
// After this the garbage of what was done is collected or never will be.
const IDLE_MS = 5_000;
// Servers bound what one client may register.
const INSTANCES_A_CONNECTION = 50_000;
const CONNECTIONS_MIN = 10;

export interface W3 {
  readonly instances: number;
  readonly services: number;
}

export async function w3(bench: Bench, size: W3): Promise<Figure[]> {
  const { protocol, address, processes } = bench;
  const services = Array.from({ length: size.services }, (_, number) => ({ workload: "w3", number }));
  await protocol.prepare(address, services);
  const connections = Math.max(CONNECTIONS_MIN, Math.ceil(size.instances / INSTANCES_A_CONNECTION));
  const publishers = await Publishers.open({ protocol, address, ...size, connections, window: WINDOW });
  await sleep(IDLE_MS);
  const before = await Promise.all(processes.map(memoryOf));
  for (const instance of dealInstances("w3", size.instances, size.services)) publishers.of(instance).register(instance);
  await publishers.settled();
  await sleep(IDLE_MS);
  const after = await Promise.all(processes.map(memoryOf));

  return processes.flatMap(({ name }, at) => memoryFigures(name, [before[at], after[at]], size.instances));
}
