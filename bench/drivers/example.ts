// The worked example of SOFARegistry's authors: 100 services of 800 instances of 150 bytes, each with 2,000
// subscribers; every instance changes, in turn over all services, as when everything is deployed anew. On one machine
// the 200,000 subscriptions go by 2,000 connections of 100 each.

import type { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { type Figure, mebibytes } from "../figures.ts";
import { dealInstances, type Instance, instanceText, serviceText } from "../instances.ts";
import { cpuSecondsOf, peakRssBytesOf } from "../processes/usage.ts";
import { Arrivals } from "../protocols/arrivals.ts";
import { nowMs } from "../protocols/clock.ts";
import { subscribeAll } from "../protocols/sofa/protocol.ts";
import { pushedList } from "../protocols/sofa/pushedLists.ts";
import { Publishers } from "./publishers.ts";
import type { Bench } from "./task.ts";

const CONNECTIONS = 16;
const WINDOW = 512;
const CHANGE_SECONDS = 30;
const TICK_MS = 5;
const QUIET_MS = 3_000;
const QUIET_MS_MAX = 300_000;
const SUBSCRIBE_AT_ONCE = 20;

export interface Example {
  readonly subscribers: number;
  readonly services: number;
  readonly instances: number;
}

/** Every push that came, in columns, for ten thousands of them a second. */
class PushLog extends Arrivals {
  // By fingerprint: one push of each.
  readonly kept = new Map<number, Buffer>();
  readonly #fingerprints: number[] = [];
  readonly #subscribers: number[] = [];
  readonly #times: number[] = [];
  newestMs = 0;

  override record(at: number, fingerprint: number, bytes: number): void {
    this.newestMs = nowMs();
    this.bytes += bytes;
    this.#fingerprints.push(fingerprint);
    this.#subscribers.push(at);
    this.#times.push(this.newestMs);
  }

  get length(): number {
    return this.#times.length;
  }

  clear(): void {
    for (const column of [this.#fingerprints, this.#subscribers, this.#times]) column.length = 0;
    this.bytes = 0;
  }

  /** How many subscribers were pushed what has one of these fingerprints, each counted once, and when the last was. */
  delivered(fingerprints: ReadonlySet<number>): { count: number; lastMs: number } {
    const seen = new Set<number>();
    let lastMs = 0;
    for (const [row, fingerprint] of this.#fingerprints.entries()) {
      if (!fingerprints.has(fingerprint)) continue;
      const key = fingerprint * 65_536 + (this.#subscribers[row] ?? 0);
      if (seen.has(key)) continue;
      seen.add(key);
      lastMs = Math.max(lastMs, this.#times[row] ?? 0);
    }
    return { count: seen.size, lastMs };
  }

  /** Resolves when nothing came for a while. */
  async quiet(): Promise<void> {
    const endMs = nowMs() + QUIET_MS_MAX;
    while (nowMs() - this.newestMs < QUIET_MS && nowMs() < endMs) await sleep(QUIET_MS / 10);
  }
}

export async function example(bench: Bench, size: Example): Promise<Figure[]> {
  const { protocol, address, pids } = bench;
  await protocol.warmUp(size.instances);
  const total = size.services * size.instances;
  const instances = dealInstances("ex", total, size.services);
  const options = { protocol, address, services: size.services, instances: total, connections: CONNECTIONS };
  const publishers = await Publishers.open({ ...options, window: WINDOW });
  for (const instance of instances) publishers.of(instance).register(instance);
  await publishers.settled();
  const log = new PushLog(size.subscribers, () => undefined);
  await subscribeAllServices(bench, size, log);
  await log.quiet();
  const first = log.length;
  log.clear();

  const cpuBefore = cpuSecondsOf(pids);
  const startMs = nowMs();
  await change(publishers, instances);
  const changedMs = nowMs();
  await log.quiet();
  const cpuSeconds = cpuSecondsOf(pids) - cpuBefore;
  const final = finalLists(log, size, instances);
  const { count, lastMs } = log.delivered(final.fingerprints);
  const expected = size.services * size.subscribers;
  return [
    { name: "subscriptions", value: expected, unit: "" },
    { name: "first pushes", value: first, unit: "" },
    { name: "subscriptions with the last list", value: count, unit: "" },
    { name: "change took", value: (changedMs - startMs) / 1_000, unit: "s" },
    { name: "last list, after the last change", value: lastMs - changedMs, unit: "ms" },
    { name: "pushes", value: log.length, unit: "" },
    { name: "sent", value: mebibytes(log.bytes), unit: "MiB" },
    { name: "compressed size", value: final.percent, unit: "%" },
    { name: "server CPU", value: cpuSeconds, unit: "s" },
    { name: "server CPU a push", value: (cpuSeconds / log.length) * 1e6, unit: "µs" },
    { name: "peak RSS", value: mebibytes(peakRssBytesOf(pids)), unit: "MiB" },
  ];
}

async function subscribeAllServices({ address }: Bench, size: Example, log: PushLog): Promise<void> {
  const services = Array.from({ length: size.services }, (_, number) => ({ workload: "ex", number }));
  const how = { address, arrivals: log, encoding: "zstd" as const };
  for (let at = 0; at < size.subscribers; at += SUBSCRIBE_AT_ONCE) {
    const numbers = Array.from(
      { length: Math.min(SUBSCRIBE_AT_ONCE, size.subscribers - at) },
      (_, offset) => at + offset,
    );
    await Promise.all(
      numbers.map((number) => {
        const keep = (fingerprint: number, frame: Buffer) => log.kept.set(fingerprint, frame);
        return subscribeAll(services, number === 0 ? { ...how, at: number, keep } : { ...how, at: number });
      }),
    );
  }
}

/** All instances, the first of each service first, spread evenly over the time. */
async function change(publishers: Publishers, instances: readonly Instance[]): Promise<void> {
  const startMs = nowMs();
  let changed = 0;
  while (changed < instances.length) {
    const share = (nowMs() - startMs) / 1_000 / CHANGE_SECONDS;
    const due = Math.min(instances.length, Math.floor(share * instances.length));
    for (; changed < due; changed++) {
      const instance = instances[changed] as Instance;
      publishers.of(instance).register({ ...instance, revision: 1 });
    }
    await sleep(TICK_MS);
  }
  await publishers.settled();
}

interface FinalLists {
  readonly fingerprints: ReadonlySet<number>;
  /** The cost of a push of such a list, relative to the present one. */
  readonly percent: number;
}

/** The pushes that show every instance of a service changed, of those that the first subscriber kept. */
function finalLists(log: PushLog, size: Example, instances: readonly Instance[]): FinalLists {
  const expected = new Map<string, string>();
  for (let number = 0; number < size.services; number++) {
    const texts = instances
      .filter(({ service }) => service.number === number)
      .map((instance) => instanceText({ ...instance, revision: 1 }));
    expected.set(serviceText({ workload: "ex", number }), texts.sort().join());
  }
  const fingerprints = new Set<number>();
  let bytes = 0;
  let bytesPlain = 0;
  for (const [fingerprint, frame] of log.kept) {
    const list = pushedList(frame);
    if ([...list.texts].sort().join() !== expected.get(list.dataId)) continue;
    fingerprints.add(fingerprint);
    bytes += frame.length;
    bytesPlain += list.bytesPlain;
  }
  return { fingerprints, percent: (bytes / bytesPlain) * 100 };
}
