// One instance of a service that comes and goes.

import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../instances.ts";
import type { Arrivals } from "../protocols/arrivals.ts";
import { nowMs } from "../protocols/clock.ts";
import type { Publishers } from "./publishers.ts";

// Single changes: a service that changes again within half a second counts as one that changes all the time, and its
// pushes are gathered (src/session/pushGap.ts).
const SETTLE_MS = 600;

export class Flapping {
  readonly #publishers: Publishers;
  readonly #service: Service;
  readonly #instances: number;
  #made = 0;

  /** The service has so many instances beside the one that comes and goes. */
  constructor(publishers: Publishers, service: Service, instances: number) {
    this.#publishers = publishers;
    this.#service = service;
    this.#instances = instances;
  }

  /** Adds or removes the instance, by turns. Returns how many the service has then. */
  change(): number {
    const isAdded = this.#made % 2 === 0;
    const instance = { service: this.#service, number: this.#instances, revision: Math.floor(this.#made++ / 2) };
    const publisher = this.#publishers.of(instance);
    if (isAdded) publisher.register(instance);
    else publisher.deregister(instance);
    return isAdded ? this.#instances + 1 : this.#instances;
  }

  /** Makes so many changes, each after all have seen the last one; returns how long each subscriber waited for each. */
  async changes(arrivals: Arrivals, count: number): Promise<number[]> {
    const samples: number[] = [];
    for (let change = 0; change < count; change++) {
      await sleep(SETTLE_MS);
      const changedAtMs = nowMs();
      await arrivals.shows(this.change());
      samples.push(...arrivals.latencies(changedAtMs));
    }
    return samples;
  }
}
