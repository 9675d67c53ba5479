// Rule 5, the other side: a client that is dead, and known to be, is gone from the lists when its grace is over.

import type { Fact } from "../facts.ts";
import { quietMs } from "../patience.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import type { Commit } from "./commits.ts";

const TRAVEL_MS = 1_000;

export class DeadClients implements Checker {
  readonly #evidence: Evidence;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    const sighting = this.#evidence.commits.last;
    if (fact.kind !== "told" || sighting === undefined || sighting.commit !== this.#newest(sighting.commit))
      return undefined;
    const { nodes, plan } = this.#evidence;
    // While servers come and go, more time is needed; the end of the run looks again.
    if (nowMs < nodes.troubleMs + quietMs(plan)) return undefined;
    return this.#ghost(sighting.commit, nowMs);
  }

  #newest({ service }: Commit): Commit | undefined {
    return this.#evidence.commits.newest(service);
  }

  #ghost({ service, version, content }: Commit, nowMs: number): Finding | undefined {
    const { registrations, plan } = this.#evidence;
    for (const registId of content.keys()) {
      const [registration, twin] = registrations.twins(service, registId);
      if (registration === undefined || twin !== undefined) continue;
      const { diedMs, open, losses } = registrations.client(registration.client);
      if (diedMs === undefined || open.size > 0) continue;
      const lostMs = Math.max(diedMs, losses.at(-1)?.atMs ?? 0);
      if (nowMs <= lostMs + plan.config.clientReturnGraceMs + TRAVEL_MS) continue;
      const text = `${registId} is in v${version} at ${nowMs}; its client died at ${diedMs}, was lost at ${lostMs}`;
      return { rule: "5 a cut is not a death", service, text };
    }
    return undefined;
  }
}
