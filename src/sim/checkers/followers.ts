// At the end every follower holds the same as its leader. All links between data nodes are cut then and made again; a
// follower reports its state, and the leader answers with the differences: there may be none.

import type { ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

export class FollowerChecker implements Checker {
  readonly #evidence: Evidence;
  readonly #whole = new Set<string>();
  // Services with publications that a follower reported to hold, by follower and slot.
  readonly #held = new Map<string, ReadonlySet<ServiceKey>>();
  #isComparing = false;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact): Finding | undefined {
    if (fact.kind === "compared") this.#isComparing = true;
    if (!this.#isComparing) return undefined;
    if (fact.kind === "followed") this.#followed(fact);
    if (fact.kind === "replicated" && fact.message.kind === "replica") return this.#replica(fact, fact.message);
    return fact.kind === "over" ? this.#look() : undefined;
  }

  #followed({ from, message }: Fact & { kind: "followed" }): void {
    const held = message.kept.flatMap(({ serviceKey, count }) => (count > 0 ? [serviceKey] : []));
    this.#held.set(`${message.slot} ${from}`, new Set(held));
  }

  #replica(
    { from, to }: Fact & { kind: "replicated" },
    { slot, datums, gone, isLast }: (Fact & { kind: "replicated" })["message"] & { kind: "replica" },
  ): Finding | undefined {
    if (isLast) this.#whole.add(`${slot} ${to}`);
    // An empty service can't be lost.
    const held = this.#held.get(`${slot} ${to}`);
    const differing = datums.find(({ serviceKey, publications }) => publications.length > 0 || held?.has(serviceKey));
    const service = differing?.serviceKey ?? gone.find((serviceKey) => held?.has(serviceKey));
    if (service === undefined) return undefined;
    return difference(`${to} did not have in slot ${slot} what ${from} has`, service);
  }

  #look(): Finding | undefined {
    for (const [slot, { leader, followers }] of this.#evidence.nodes.table?.slots.entries() ?? []) {
      const silent = followers.find((follower) => !this.#whole.has(`${slot} ${follower}`));
      if (silent !== undefined) return difference(`${silent} has not compared slot ${slot} with ${leader}`, undefined);
    }
    return undefined;
  }
}

function difference(text: string, service: Finding["service"]): Finding {
  return { rule: "followers hold what their leaders hold", service, text };
}
