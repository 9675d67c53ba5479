// The lead among meta nodes: an operator has the leader step down at random times, if there is another meta node.

import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import { repeatAtRandom } from "./repeatAtRandom.ts";

const STEP_DOWN_MS = 4_000;

export class LeadOperator {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
  }

  start(): void {
    if (this.#environment.plan.stepsDown !== true) return;
    repeatAtRandom(
      this.#environment,
      STEP_DOWN_MS,
      () => this.#stepDown(),
      () => this.#isOver,
    );
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Asks a meta node that believes it leads. */
  #stepDown(): void {
    const running = this.#cluster.nodesOf("meta").filter((node) => node.meta !== undefined && !node.isPaused);
    const leader = running.find(({ meta }) => meta?.isLeading === true);
    if (running.length > 1) leader?.meta?.stepDown();
  }
}
