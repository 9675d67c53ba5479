// What goes wrong, and when. Around some restarts the workload rests, so that a list that gets shorter then has no
// other excuse.

import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { ClientFault } from "../plan.ts";
import type { App } from "./app.ts";
import type { Workload } from "./workload.ts";

// More than this share of the clients does not die: an empty world tells nothing.
const DEAD_SHARE_MAX = 0.4;
const REST_BEFORE_MS = 2_500;
const REST_AFTER_MS = 5_000;

export class Faults {
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
    if (plan.clientFaults.length > 0) this.#repeat(plan.clientFaultMs, () => this.#troubleClient());
    if (plan.serverFaults.length > 0) this.#repeat(plan.serverFaultMs, () => this.#troubleServers());
  }

  /** No new ones, and clients are well again; what the servers suffer from ends by itself. */
  stop(): void {
    this.#isOver = true;
    for (const app of this.#workload.apps) app.heal();
  }

  #repeat(meanMs: number, run: () => void): void {
    const { scheduler, dice } = this.#environment;
    scheduler.after(1 + dice.below(2 * meanMs), () => {
      if (this.#isOver) return;
      run();
      this.#repeat(meanMs, run);
    });
  }

  #troubleServers(): void {
    const { dice, plan, scheduler } = this.#environment;
    const fault = dice.pick(plan.serverFaults);
    const hasRest = fault !== "store" && dice.chance(0.5);
    if (!hasRest) return this.#cluster.break(fault);
    this.#workload.pause(REST_BEFORE_MS + REST_AFTER_MS);
    scheduler.after(REST_BEFORE_MS, () => {
      if (!this.#isOver) this.#cluster.break(fault);
    });
  }

  #troubleClient(): void {
    const { dice, plan } = this.#environment;
    if (this.#workload.isPaused) return;
    const living = this.#workload.apps.filter((app) => !app.isDead);
    if (living.length > 0) this.#trouble(dice.pick(living), dice.pick(plan.clientFaults));
  }

  #trouble(app: App, fault: ClientFault): void {
    const { dice } = this.#environment;
    switch (fault) {
      case "cut":
        return app.cut({ clientMs: dice.below(100), serverMs: dice.below(dice.chance(0.3) ? 5_000 : 100) }, 0);
      case "lateReturn":
        return app.cut({ clientMs: dice.below(3_000), serverMs: dice.below(100) }, dice.between(1_000, 8_000));
      case "kill":
      case "vanish":
        if (this.#mayDie()) app.die(fault === "kill" ? "killed" : "vanished");
        return;
      case "silence":
        app.fallSilent();
        return this.#healLater(app, dice.between(200, 25_000));
      case "slowReader":
        app.readSlowly();
        return this.#healLater(app, dice.between(500, 10_000));
    }
  }

  #healLater(app: App, durationMs: number): void {
    this.#environment.scheduler.after(durationMs, () => app.heal());
  }

  #mayDie(): boolean {
    const { apps } = this.#workload;
    return apps.filter((app) => app.isDead).length < apps.length * DEAD_SHARE_MAX;
  }
}
