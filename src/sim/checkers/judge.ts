// All checkers on one world. They see every fact in order, after the evidence that they share has taken it in; the
// first finding stands.

import type { Fact } from "../facts.ts";
import type { Plan } from "../plan.ts";
import { Bounds } from "./bounds.ts";
import type { Checker, Finding } from "./checker.ts";
import { ClientOrder } from "./clientOrder.ts";
import { Commits } from "./commits.ts";
import { Convergence } from "./convergence.ts";
import { DeadClients } from "./deadClients.ts";
import { NewestWins } from "./newestWins.ts";
import { Registrations } from "./registrations.ts";
import { SubscriberOrder } from "./subscriberOrder.ts";
import { UndueRemoval } from "./undueRemoval.ts";
import { VersionsGrow } from "./versionsGrow.ts";
import { WholeVersions } from "./wholeVersions.ts";

/** Judges one run. */
export class Judge {
  readonly #commits = new Commits();
  readonly #registrations = new Registrations();
  readonly #checkers: readonly Checker[];
  #finding: Finding | undefined;

  constructor(plan: Plan) {
    const evidence = { plan, commits: this.#commits, registrations: this.#registrations };
    this.#checkers = [
      new VersionsGrow(),
      new WholeVersions(evidence),
      new NewestWins(evidence),
      new SubscriberOrder(evidence),
      new UndueRemoval(evidence),
      new DeadClients(evidence),
      new Bounds(),
      new ClientOrder(evidence),
      new Convergence(evidence),
    ];
  }

  get finding(): Finding | undefined {
    return this.#finding;
  }

  see(fact: Fact, nowMs: number): void {
    if (this.#finding !== undefined) return;
    if (fact.kind === "bug") {
      this.#finding = { rule: "bug", service: undefined, text: `${fact.where}: ${fact.what}` };
      return;
    }
    this.#commits.see(fact, nowMs);
    this.#registrations.see(fact, nowMs);
    for (const checker of this.#checkers) {
      this.#finding ??= checker.see(fact, nowMs);
    }
  }
}
