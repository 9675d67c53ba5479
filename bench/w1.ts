// W1, change latency: one service with 100 instances and S subscribers, each on its own connection. Single changes,
// each after the last has settled; the time from the call to each subscriber's callback that shows the change.

import { setTimeout as sleep } from "node:timers/promises";
import type { Publisher } from "../src/client/registration.ts";
import { type BenchClient, connectWhenUp } from "./connect.ts";
import { type Figures, latencies } from "./figures.ts";
import { subscribeLight } from "./lightSubscriber.ts";
import { startServerProcess } from "./serverProcess.ts";

const INSTANCES = 100;
const CHANGES = 30;
const SETTLE_MS = 100;
// A change that takes longer has been lost.
const CHANGE_MS_MAX = 30_000;

const SERVICE = { dataId: "bench.w1", instanceId: "DEFAULT_INSTANCE_ID", group: "DEFAULT_GROUP" };
const encoder = new TextEncoder();

/** About 150 bytes, as an instance of SOFARPC has. */
function instance(number: number) {
  const address = `10.0.${number >> 8}.${number & 255}:12200`;
  const settings = "rpcVer=50803&serialization=hessian2&weight=100&timeout=3000&appName=bench&v=4.0&p=1";
  const text = `${address}?${settings}&startTime=${1_700_000_000_000 + number}`;
  return [{ utf8: encoder.encode(text), units: text.length }];
}

/** Who has how many instances, and a wait for all to have `count`. */
class Subscribers {
  readonly #sizes: number[];
  #expected = -1;
  #changedAtMs = 0;
  #missing = 0;
  #done: () => void = () => undefined;
  readonly samples: number[] = [];

  constructor(count: number) {
    this.#sizes = Array.from({ length: count }, () => -1);
  }

  pushed(at: number, size: number): void {
    if (this.#sizes[at] === size) return;
    this.#sizes[at] = size;
    if (size !== this.#expected) return;
    this.samples.push(performance.now() - this.#changedAtMs);
    this.#missing--;
    if (this.#missing === 0) this.#done();
  }

  /** Makes a change and resolves when every subscriber shows `size` instances. */
  async change(size: number, make: () => void): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    this.#expected = size;
    this.#missing = this.#sizes.filter((known) => known !== size).length;
    this.#changedAtMs = performance.now();
    make();
    const isLate = await Promise.race([done.then(() => false), sleep(CHANGE_MS_MAX, true, { ref: false })]);
    if (isLate)
      throw new Error(`after ${CHANGE_MS_MAX} ms ${this.#missing} subscribers have not seen ${size} instances`);
  }
}

/** Runs W1 against a server of its own. */
export async function w1(subscriberCount: number): Promise<Figures> {
  const server = await startServerProcess();
  const closers: (() => void)[] = [];
  try {
    const publisher = await connectWhenUp(server.bolt);
    closers.push(publisher.close);
    const subscribers = new Subscribers(subscriberCount);
    for (let at = 0; at < subscriberCount; at++) {
      closers.push(await subscribeLight(server.bolt, SERVICE, (instances) => subscribers.pushed(at, instances)));
    }
    const cpuSeconds = await measure({ publisher, subscribers, cpu: () => server.cpuSeconds() });
    const figures = { ...latencies(subscribers.samples), "server CPU": `${cpuSeconds.toFixed(2)} s` };
    return { name: `W1, ${subscriberCount} subscribers`, figures };
  } finally {
    for (const close of closers) close();
    await server.stop();
  }
}

interface Bench {
  readonly publisher: BenchClient;
  readonly subscribers: Subscribers;
  readonly cpu: () => number;
}

/** Registers the instances, then makes the changes; returns the server's processor time for these. */
async function measure({ publisher: { client }, subscribers, cpu }: Bench): Promise<number> {
  const nowMs = Date.now();
  await subscribers.change(INSTANCES, () => {
    for (let number = 0; number < INSTANCES; number++) client.publish(SERVICE, instance(number), nowMs);
  });
  subscribers.samples.length = 0;
  const cpuBefore = cpu();
  for (let change = 0; change < CHANGES / 2; change++) {
    await sleep(SETTLE_MS);
    let added: Publisher | undefined;
    await subscribers.change(INSTANCES + 1, () => {
      added = client.publish(SERVICE, instance(INSTANCES + change), Date.now());
    });
    await sleep(SETTLE_MS);
    await subscribers.change(INSTANCES, () => {
      if (added !== undefined) client.unregister(added, Date.now());
    });
  }
  return cpu() - cpuBefore;
}
