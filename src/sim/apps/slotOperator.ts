// The arrangement of slots: an operator pauses and resumes it at random times, and asks for one arrangement now and
// then.

import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import { repeatAtRandom } from "./repeatAtRandom.ts";

const CHANGE_MS = 2_000;
const RESUME_MS = 500;
// Within this the last leader is there, or it is too late for this world.
const RESUMES_MAX = 20;

export class SlotOperator {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  #resumes = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
  }

  start(): void {
    if (this.#environment.plan.pausesSlots !== true) return;
    repeatAtRandom(
      this.#environment,
      CHANGE_MS,
      () => this.#change(),
      () => this.#isOver,
    );
  }

  /** Ends the changes, and the pause. */
  stop(): void {
    this.#isOver = true;
    if (this.#environment.plan.pausesSlots === true) this.#resume();
  }

  #change(): void {
    const roll = this.#environment.dice.next();
    if (roll < 0.55) this.#leader()?.pauseSlots({ setBy: "operator", reason: "" });
    else if (roll < 0.9) this.#leader()?.pauseSlots(undefined);
    else this.#leader()?.arrangeSlots();
  }

  #resume(): void {
    this.#leader()?.pauseSlots(undefined);
    if (!this.#cluster.store.isSlotPauseKept || ++this.#resumes === RESUMES_MAX) return;
    this.#environment.scheduler.after(RESUME_MS, () => this.#resume());
  }

  /** A meta node that believes it leads. */
  #leader() {
    return this.#cluster.nodesOf("meta").find((node) => node.meta?.isLeading === true && !node.isPaused)?.meta;
  }
}
