// Fairness: a service of 100 instances that changes now and then, alone at first, then beside a service of 10,000
// instances that flaps 50 times a second. Measures the cost of the hot one for the other's subscribers.

import { type Figure, latencies, percentile } from "../figures.ts";
import type { Service } from "../instances.ts";
import { cpuSecondsOf } from "../processes/usage.ts";
import type { Arrivals } from "../protocols/arrivals.ts";
import { nowMs } from "../protocols/clock.ts";
import type { PushEncoding } from "../protocols/protocol.ts";
import { Flapping } from "./flapping.ts";
import { Publishers } from "./publishers.ts";
import { subscribeMany } from "./subscribers.ts";
import type { Bench } from "./task.ts";

const HOT: Service = { workload: "ho", number: 0 };
const HOT_INSTANCES = 10_000;
const FLAP_MS = 20;
const QUIET: Service = { workload: "qu", number: 0 };
const QUIET_INSTANCES = 100;
const QUIET_SUBSCRIBERS = 10;
const WARM_UP_CHANGES = 20;
const CHANGES = 100;

export interface Fair {
  /** Of the hot service; few, or reading what it is pushed is what the driver does all the time. */
  readonly subscribers: number;
  readonly encoding: PushEncoding;
}

export async function fair(bench: Bench, { subscribers, encoding }: Fair): Promise<Figure[]> {
  const { protocol, pids } = bench;
  await protocol.warmUp(QUIET_INSTANCES);
  const hot = await registered(bench, HOT, HOT_INSTANCES);
  const quiet = await registered(bench, QUIET, QUIET_INSTANCES);
  const hotArrivals = protocol.arrivals(subscribers);
  const arrivals = protocol.arrivals(QUIET_SUBSCRIBERS);
  await subscribeMany(bench, { service: HOT, encoding, arrivals: hotArrivals, from: 0, to: subscribers });
  await subscribeMany(bench, { service: QUIET, encoding: "plain", arrivals, from: 0, to: QUIET_SUBSCRIBERS });
  await hotArrivals.shows(HOT_INSTANCES);
  await arrivals.shows(QUIET_INSTANCES);

  await quiet.changes(arrivals, WARM_UP_CHANGES);
  const alone = await quiet.changes(arrivals, CHANGES);
  const timer = setInterval(() => hot.change(), FLAP_MS);
  await quiet.changes(arrivals, WARM_UP_CHANGES);
  const [pushesBefore, cpuBefore, startMs] = [pushesOf(hotArrivals), cpuSecondsOf(pids), nowMs()];
  const beside = await quiet.changes(arrivals, CHANGES);
  const seconds = (nowMs() - startMs) / 1_000;
  const cpuShare = (cpuSecondsOf(pids) - cpuBefore) / seconds;
  clearInterval(timer);
  return [
    ...latencies(alone, "alone: "),
    ...latencies(beside, "beside: "),
    { name: "p99 beside, more than alone", value: percentile(beside, 0.99) - percentile(alone, 0.99), unit: "ms" },
    { name: "pushes of the hot service", value: (pushesOf(hotArrivals) - pushesBefore) / seconds, unit: "/s" },
    { name: "server CPU", value: cpuShare * 100, unit: "%" },
  ];
}

async function registered({ protocol, address }: Bench, service: Service, instances: number): Promise<Flapping> {
  const size = { services: 1, instances: instances + 1, connections: 1, window: 1_000 };
  const publishers = await Publishers.open({ protocol, address, ...size });
  for (let number = 0; number < instances; number++) {
    const instance = { service, number, revision: 0 };
    publishers.of(instance).register(instance);
  }
  await publishers.settled();
  return new Flapping(publishers, service, instances);
}

function pushesOf({ pushes }: Arrivals): number {
  return pushes.reduce((sum, count) => sum + count, 0);
}
