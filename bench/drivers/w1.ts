// W1, change latency: one service with 100 instances and S subscribers, each on its own connection. Single changes,
// each after the last has settled; the time from the call to each subscriber's callback that shows the change.

import { setTimeout as sleep } from "node:timers/promises";
import { type Figure, latencies } from "../figures.ts";
import type { Instance, Service } from "../instances.ts";
import { cpuSecondsOf } from "../processes/usage.ts";
import { nowMs } from "../protocols/clock.ts";
import type { PushEncoding } from "../protocols/protocol.ts";
import { Publishers } from "./publishers.ts";
import { subscribeMany } from "./subscribers.ts";
import type { Bench } from "./task.ts";

const INSTANCES = 100;
const CHANGES = 30;
// Single changes: a service that changes again within half a second counts as one that changes all the time, and its
// pushes are gathered (src/session/pushGap.ts).
const SETTLE_MS = 600;
const SERVICE: Service = { workload: "w1", number: 0 };

export interface W1 {
  readonly subscribers: number;
  readonly encoding: PushEncoding;
}

export async function w1(bench: Bench, { subscribers, encoding }: W1): Promise<Figure[]> {
  const { protocol, address, pids } = bench;
  await protocol.warmUp(INSTANCES);
  await protocol.prepare(address, [SERVICE]);
  // One more for a protocol in which each connection registers one instance only: the one that changes.
  const instances = INSTANCES + 1;
  const publishers = await Publishers.open({
    protocol,
    address,
    services: 1,
    instances,
    connections: 1,
    window: 1_000,
  });
  const arrivals = protocol.arrivals(subscribers);
  await subscribeMany(bench, { service: SERVICE, encoding, arrivals, from: 0, to: subscribers });
  for (let number = 0; number < INSTANCES; number++) {
    const instance = instanceOf(number);
    publishers.of(instance).register(instance);
  }
  await arrivals.shows(INSTANCES);

  const samples: number[] = [];
  const change = async (expected: number, make: () => void) => {
    await sleep(SETTLE_MS);
    const changedAtMs = nowMs();
    make();
    await arrivals.shows(expected);
    samples.push(...arrivals.latencies(changedAtMs));
  };
  const cpuBefore = cpuSecondsOf(pids);
  for (let pair = 0; pair < CHANGES / 2; pair++) {
    const added = instanceOf(INSTANCES + pair);
    await change(INSTANCES + 1, () => publishers.of(added).register(added));
    await change(INSTANCES, () => publishers.of(added).deregister(added));
  }
  const cpuSeconds = cpuSecondsOf(pids) - cpuBefore;
  return [...latencies(samples), { name: `server CPU for ${CHANGES} changes`, value: cpuSeconds, unit: "s" }];
}

function instanceOf(number: number): Instance {
  return { service: SERVICE, number, revision: 0 };
}
