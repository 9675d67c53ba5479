// A fault for worlds with the ordered tree: a session node stands still, and is cut off from the store when it goes on.
// Its copy is then as old as its stillness, and it can't find that out.

import type { Cancel } from "../../base/ports.ts";
import { repeatAtRandom } from "../apps/repeatAtRandom.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import { STORE } from "../cluster/store.ts";

const FAULT_MS = 7_000;
const STILL_MS = { from: 1_500, to: 12_000 } as const;
const CUT_MS = { from: 1_000, to: 15_000 } as const;

export class TreeFaults {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #open = new Set<Cancel>();
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
  }

  start(): void {
    const isOver = () => this.#isOver;
    repeatAtRandom(this.#environment, FAULT_MS, () => this.#stallAndCut(), isOver);
  }

  /** Ends all cuts now, and begins no new ones. */
  stop(): void {
    this.#isOver = true;
    for (const open of this.#open) open();
    this.#open.clear();
  }

  #stallAndCut(): void {
    const { dice, scheduler } = this.#environment;
    const nodes = this.#cluster.nodesOf("session").filter((node) => node.isRunning && !node.isPaused);
    if (nodes.length === 0) return;
    const node = dice.pick(nodes);
    const stillMs = dice.between(STILL_MS.from, STILL_MS.to);
    const open = this.#cluster.partition([[node.machine], [STORE]]);
    this.#open.add(open);
    this.#cluster.pause(node);
    scheduler.after(stillMs, () => this.#cluster.resume(node));
    scheduler.after(stillMs + dice.between(CUT_MS.from, CUT_MS.to), () => {
      open();
      this.#open.delete(open);
    });
  }
}
