// W4, fan-out: one service of 1,000 instances and S subscribers, each on its own connection; one change, until the last
// has the new list; five times.

import { setTimeout as sleep } from "node:timers/promises";
import { type Figure, mebibytes, median, percentile } from "../figures.ts";
import type { Instance, Service } from "../instances.ts";
import { cpuSecondsOf, rssBytesOf } from "../processes/usage.ts";
import { nowMs } from "../protocols/clock.ts";
import type { PushEncoding } from "../protocols/protocol.ts";
import { Publishers } from "./publishers.ts";
import { subscribeMany } from "./subscribers.ts";
import type { Bench } from "./task.ts";

const INSTANCES = 1_000;
const CHANGES = 5;
// Longer than any server gathers changes after a push of this size.
const SETTLE_MS = 2_000;
// The answers to the pushes are part of what a push costs the server.
const ANSWERED_MS = 500;
const SERVICE: Service = { workload: "w4", number: 0 };

export interface W4 {
  readonly subscribers: number;
  readonly encoding: PushEncoding;
}

export async function w4(bench: Bench, { subscribers, encoding }: W4): Promise<Figure[]> {
  const { protocol, address, pids } = bench;
  await protocol.warmUp(INSTANCES);
  await protocol.prepare(address, [SERVICE]);
  const instances = INSTANCES + 1;
  const publishers = await Publishers.open({
    protocol,
    address,
    services: 1,
    instances,
    connections: 1,
    window: 1_000,
  });
  for (let number = 0; number < INSTANCES; number++) {
    const instance = instanceOf(number);
    publishers.of(instance).register(instance);
  }
  await publishers.settled();
  const arrivals = protocol.arrivals(subscribers);
  await subscribeMany(bench, { service: SERVICE, encoding, arrivals, from: 0, to: subscribers });
  await arrivals.shows(INSTANCES);

  const added = instanceOf(INSTANCES);
  const lastMs: number[] = [];
  const allMs: number[] = [];
  const cpuSeconds: number[] = [];
  const ownSeconds: number[] = [];
  const bytesBefore = arrivals.bytes;
  for (let change = 0; change < CHANGES; change++) {
    await sleep(SETTLE_MS);
    const isAdded = change % 2 === 0;
    const revision = Math.floor(change / 2);
    const cpuBefore = cpuSecondsOf(pids);
    const ownBefore = cpuSecondsOf([process.pid]);
    const changedAtMs = nowMs();
    if (isAdded) publishers.of(added).register({ ...added, revision });
    else publishers.of(added).deregister({ ...added, revision });
    await arrivals.shows(isAdded ? INSTANCES + 1 : INSTANCES);
    const samples = arrivals.latencies(changedAtMs);
    await sleep(ANSWERED_MS);
    ownSeconds.push(cpuSecondsOf([process.pid]) - ownBefore);
    cpuSeconds.push(cpuSecondsOf(pids) - cpuBefore);
    lastMs.push(percentile(samples, 1));
    allMs.push(...samples);
  }
  return [
    { name: "last subscriber, median of 5", value: median(lastMs), unit: "ms" },
    { name: "last subscriber, worst of 5", value: percentile(lastMs, 1), unit: "ms" },
    { name: "p50", value: percentile(allMs, 0.5), unit: "ms" },
    { name: "server CPU a push", value: (median(cpuSeconds) / subscribers) * 1e6, unit: "µs" },
    { name: "driver CPU a push", value: (median(ownSeconds) / subscribers) * 1e6, unit: "µs", isAside: true },
    { name: "bytes a push", value: (arrivals.bytes - bytesBefore) / CHANGES / subscribers, unit: "B", isAside: true },
    { name: "RSS", value: mebibytes(rssBytesOf(pids)), unit: "MiB", isAside: true },
  ];
}

function instanceOf(number: number): Instance {
  return { service: SERVICE, number, revision: 0 };
}
