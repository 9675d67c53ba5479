// The faults of clients, and their times.

import type { App } from "../apps/app.ts";
import { repeatAtRandom } from "../apps/repeatAtRandom.ts";
import type { Workload } from "../apps/workload.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { ClientFault } from "../plan.ts";

// At most this share of the clients dies: an empty world shows nothing.
const DEAD_SHARE_MAX = 0.4;
// A stranger that stays longer than a client's grace may get a registration that is free by then.
const USURP_MS = 900;
// The share of frozen clients that do not thaw.
const FOR_EVER_CHANCE = 0.2;

export class ClientFaults {
  readonly #environment: SimEnvironment;
  readonly #workload: Workload;
  #isOver = false;

  constructor(environment: SimEnvironment, workload: Workload) {
    this.#environment = environment;
    this.#workload = workload;
  }

  start(): void {
    const { plan } = this.#environment;
    if (plan.clientFaults.length === 0) return;
    repeatAtRandom(
      this.#environment,
      plan.clientFaultMs,
      () => this.#troubleClient(),
      () => this.#isOver,
    );
  }

  /** Begins no new faults, and makes clients well again. */
  stop(): void {
    this.#isOver = true;
    for (const app of this.#workload.apps) app.heal();
  }

  #troubleClient(): void {
    const { dice, plan } = this.#environment;
    if (this.#workload.isPaused) return;
    const running = this.#workload.apps.filter((app) => app.isRunning);
    if (running.length > 0) this.#trouble(dice.pick(running), dice.pick(plan.clientFaults));
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
      case "usurp":
        return this.#usurp(app);
      case "answersLate":
        app.answerLate(dice.between(300, 4_000));
        return this.#healLater(app, dice.between(2_000, 8_000));
      case "narrowLine":
        app.readThroughNarrowLine(dice.between(500, 20_000));
        return this.#healLater(app, dice.between(2_000, 8_000));
      case "freeze":
        if (dice.chance(FOR_EVER_CHANCE) && this.#mayDie()) return app.die("frozen");
        app.standStill();
        return this.#healLater(app, dice.between(6_000, 15_000));
    }
  }

  /** A stranger claims a registration of the client, or unregisters it. */
  #usurp(victim: App): void {
    const { dice, scheduler } = this.#environment;
    const publishers =
      victim.isWell && !victim.isBeset
        ? victim.publishers.filter(({ isDone, isRegistered }) => isDone && isRegistered)
        : [];
    if (publishers.length === 0) return;
    const publisher = dice.pick(publishers);
    const version = publisher.version + (dice.chance(0.5) ? 1n : 1n << BigInt(dice.between(2, 61)));
    const stranger = this.#workload.strangerTo(victim);
    stranger.usurp(publisher, { version, isRegistered: dice.chance(0.5) });
    victim.isBeset = true;
    scheduler.after(USURP_MS, () => {
      stranger.die("killed");
      victim.isBeset = false;
    });
  }

  #healLater(app: App, durationMs: number): void {
    this.#environment.scheduler.after(durationMs, () => app.heal());
  }

  #mayDie(): boolean {
    const { apps } = this.#workload;
    return apps.filter((app) => app.isDead).length < apps.length * DEAD_SHARE_MAX;
  }
}
