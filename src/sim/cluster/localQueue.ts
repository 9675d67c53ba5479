// Messages between the roles of one simulated process, as transport/localNetwork.ts delivers them: in order, after the
// step that sends them, and before the process reads anything else.

import type { LocalDelivery } from "../../cluster/links/nodeNetwork.ts";
import type { Gate } from "../network/gate.ts";
import type { Scheduler } from "../scheduler.ts";

export class LocalQueue implements LocalDelivery {
  readonly #gate: Gate;
  readonly #scheduler: Scheduler;
  #queue: (() => void)[] = [];
  #isDue = false;
  #isClosed = false;

  constructor(gate: Gate, scheduler: Scheduler) {
    this.#gate = gate;
    this.#scheduler = scheduler;
    gate.onTurnEnd = () => this.#drain();
  }

  send(deliver: () => void): void {
    if (this.#isClosed) return;
    this.#queue.push(deliver);
    if (this.#gate.isInTurn || this.#isDue) return;
    // A fault, an operator or a scenario has stepped the role.
    this.#isDue = true;
    this.#scheduler.after(0, () => {
      this.#isDue = false;
      this.#gate.message(() => undefined);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#queue = [];
  }

  #drain(): void {
    if (this.#queue.length === 0) return;
    for (let at = 0; at < this.#queue.length; at++) this.#queue[at]?.();
    this.#queue = [];
  }
}
