// The faults of a small world's servers. Around some restarts the workload rests, so that a list that gets shorter then
// has no other excuse.

import { repeatAtRandom } from "../apps/repeatAtRandom.ts";
import type { Workload } from "../apps/workload.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import type { ServerFault } from "../plan.ts";

const REST_BEFORE_MS = 2_500;
const REST_AFTER_MS = 5_000;

export class ServerFaults {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster, workload: Workload) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#workload = workload;
  }

  start(): void {
    const { plan } = this.#environment;
    if (plan.serverFaults.length === 0) return;
    repeatAtRandom(
      this.#environment,
      plan.serverFaultMs,
      () => this.#trouble(),
      () => this.#isOver,
    );
  }

  /** Begins no new faults; present ones end by themselves. */
  stop(): void {
    this.#isOver = true;
  }

  #trouble(): void {
    const { dice, plan, scheduler } = this.#environment;
    const fault = dice.pick(plan.serverFaults);
    const hasRest = fault !== "store" && dice.chance(0.5);
    if (!hasRest) return this.#break(fault);
    this.#workload.pause(REST_BEFORE_MS + REST_AFTER_MS);
    scheduler.after(REST_BEFORE_MS, () => {
      if (!this.#isOver) this.#break(fault);
    });
  }

  #break(fault: ServerFault): void {
    const { dice } = this.#environment;
    const [first] = this.#cluster.nodesOf("session");
    switch (fault) {
      case "link":
        return this.#cutOne(dice.between(1, 4_000));
      case "dataRestart":
        return this.#restart(this.#cluster.nodesOf("data"), dice.between(10, 3_000));
      case "sessionRestart":
        return this.#restart(first === undefined ? [] : [first], dice.between(10, 4_000));
      case "serverRestart":
        return this.#restart(this.#cluster.nodes, dice.between(50, 6_000));
      default:
        return this.#troubleStore(dice.between(500, 5_000));
    }
  }

  #cutOne(durationMs: number): void {
    const { dice, scheduler } = this.#environment;
    const [one, other] = dice.shuffle(this.#cluster.nodes).map(({ machine }) => machine);
    if (one === undefined || other === undefined) return;
    this.#cluster.reset(one, other);
    const open = this.#cluster.partition([[one], [other]]);
    scheduler.after(durationMs, open);
  }

  #restart(nodes: readonly SimNode[], downMs: number): void {
    const { dice, scheduler } = this.#environment;
    if (nodes.some((node) => !node.isRunning)) return;
    const isOrderly = dice.chance(0.3);
    for (const node of nodes) this.#cluster.stop(node, isOrderly ? "orderly" : "killed");
    scheduler.after(downMs, () => {
      for (const node of nodes) {
        if (node.roles.includes("data")) node.clock = this.#cluster.drawClock(node.roles);
        node.start();
      }
    });
  }

  #troubleStore(durationMs: number): void {
    const { dice, scheduler, record } = this.#environment;
    const isDown = dice.chance(0.5);
    const { store } = this.#cluster;
    record({ kind: "fault", what: `the store is ${isDown ? "down" : "slow"} for ${durationMs} ms` });
    store.setDown(isDown);
    store.setSlow(isDown ? 0 : 1_500);
    scheduler.after(durationMs, () => {
      store.setDown(false);
      store.setSlow(0);
    });
  }
}
