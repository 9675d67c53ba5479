// Steady change: a service that changes fifty times, 100 ms apart. How many pushes that is for each subscriber, and how
// long after the last change the last of them has it.

import { setTimeout as sleep } from "node:timers/promises";
import { type Figure, percentile } from "../figures.ts";
import type { Service } from "../instances.ts";
import { cpuSecondsOf } from "../processes/usage.ts";
import { nowMs } from "../protocols/clock.ts";
import { Flapping } from "./flapping.ts";
import { Publishers } from "./publishers.ts";
import { subscribeMany } from "./subscribers.ts";
import type { Bench } from "./task.ts";

const INSTANCES = 100;
const CHANGES = 50;
const APART_MS = 100;
// Of what came before nothing is left.
const QUIET_MS = 2_000;
const SERVICE: Service = { workload: "st", number: 0 };

export async function steady(bench: Bench, { subscribers }: { subscribers: number }): Promise<Figure[]> {
  const { protocol, address, pids } = bench;
  await protocol.warmUp(INSTANCES);
  const size = { services: 1, instances: INSTANCES + 1, connections: 1, window: 1_000 };
  const publishers = await Publishers.open({ protocol, address, ...size });
  for (let number = 0; number < INSTANCES; number++) {
    const instance = { service: SERVICE, number, revision: 0 };
    publishers.of(instance).register(instance);
  }
  await publishers.settled();
  const arrivals = protocol.arrivals(subscribers);
  await subscribeMany(bench, { service: SERVICE, encoding: "plain", arrivals, from: 0, to: subscribers });
  await arrivals.shows(INSTANCES);
  const flapping = new Flapping(publishers, SERVICE, INSTANCES);
  await sleep(QUIET_MS);

  const before = Uint32Array.from(arrivals.pushes);
  const cpuBefore = cpuSecondsOf(pids);
  const startMs = nowMs();
  let [expected, changedAtMs] = [0, 0];
  for (let change = 0; change < CHANGES; change++) {
    await sleep(Math.max(0, startMs + change * APART_MS - nowMs()));
    changedAtMs = nowMs();
    expected = flapping.change();
  }
  // The list before the last change may have been pushed not long ago.
  await sleep(QUIET_MS);
  await arrivals.shows(expected);
  const pushes = Array.from(arrivals.pushes, (count, at) => count - (before[at] ?? 0));
  return [
    { name: "pushes a subscriber", value: percentile(pushes, 1), unit: "" },
    { name: "last change, last subscriber", value: percentile(arrivals.latencies(changedAtMs), 1), unit: "ms" },
    { name: "server CPU", value: cpuSecondsOf(pids) - cpuBefore, unit: "s" },
  ];
}
