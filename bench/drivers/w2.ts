// W2, registration: 20,000 instances of 1,000 services over 10 connections, as many requests under way as the window
// lets; registrations a second until all are acknowledged, then the time until a query of every service shows all.

import type { Figure } from "../figures.ts";
import { dealInstances } from "../instances.ts";
import { cpuSecondsOf } from "../processes/usage.ts";
import { nowMs } from "../protocols/clock.ts";
import { Publishers } from "./publishers.ts";
import type { Bench } from "./task.ts";

const WINDOW = 256;

export interface W2 {
  readonly instances: number;
  readonly services: number;
  readonly connections: number;
}

export async function w2(bench: Bench, size: W2): Promise<Figure[]> {
  const { protocol, address, pids } = bench;
  await protocol.warmUp(size.instances / size.services);
  const services = Array.from({ length: size.services }, (_, number) => ({ workload: "w2", number }));
  await protocol.prepare(address, services);
  const publishers = await Publishers.open({ protocol, address, ...size, window: WINDOW });
  const instances = dealInstances("w2", size.instances, size.services);

  const cpuBefore = cpuSecondsOf(pids);
  const ownBefore = cpuSecondsOf([process.pid]);
  const startMs = nowMs();
  for (const instance of instances) publishers.of(instance).register(instance);
  await publishers.settled();
  const acknowledgedMs = nowMs();
  const cpuSeconds = cpuSecondsOf(pids) - cpuBefore;
  const ownSeconds = cpuSecondsOf([process.pid]) - ownBefore;
  await protocol.queryAll(address, services, size.instances / size.services);
  const visibleMs = nowMs();

  const rate = (size.instances / (acknowledgedMs - startMs)) * 1_000;
  return [
    { name: "registrations acknowledged", value: rate, unit: "/s" },
    { name: "all visible after the last", value: visibleMs - acknowledgedMs, unit: "ms" },
    { name: "server CPU a registration", value: (cpuSeconds / size.instances) * 1e6, unit: "µs" },
    { name: "driver CPU a registration", value: (ownSeconds / size.instances) * 1e6, unit: "µs", isAside: true },
    { name: "connections", value: publishers.all.length, unit: "" },
    { name: "refused and sent again", value: publishers.retries, unit: "" },
  ];
}
