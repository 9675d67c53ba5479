// Rules 5 and 6: nothing disappears from a list but for a reason. A registration that one version shows and the next
// does not was taken back, or its client was gone for longer than it may be; that a connection broke, a session ended
// or a data node forgot everything is no reason.

import type { DataInfoId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import { absencesOf } from "./absence.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import type { Commit, ShownRegistration } from "./commits.ts";

// The sizes that a data node saves may be a second old, and the messages behind them a little more.
const SIZES_AGE_MS = 1_500;
// Between what a node knows and what it says.
const LAG_MS = 500;

export class UndueRemoval implements Checker {
  readonly #evidence: Evidence;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    if (fact.kind !== "told") return undefined;
    const sighting = this.#evidence.commits.last;
    if (sighting === undefined || !sighting.isNew || sighting.before === undefined) return undefined;
    const { commit, before } = sighting;
    if (commit.version < before.version) return undefined;
    for (const shown of before.content.values()) {
      if (commit.content.has(shown.registId)) continue;
      const finding = this.#missing(shown, { before, commit, nowMs });
      if (finding !== undefined) return finding;
    }
    return undefined;
  }

  #missing(shown: ShownRegistration, step: { before: Commit; commit: Commit; nowMs: number }): Finding | undefined {
    const { before, commit, nowMs } = step;
    const { registrations, plan } = this.#evidence;
    const { service } = commit;
    const [registration, twin] = registrations.twins(service, shown.registId);
    // Who of two that share a name may take it away from the other is nobody's promise.
    if (registration === undefined || twin !== undefined) return undefined;
    if (registration.unpublished.some((version) => version > shown.version)) return undefined;
    const sinceMs = before.seenMs - LAG_MS;
    if (
      absencesOf(registration, registrations, plan).some(({ fromMs, untilMs }) => fromMs <= nowMs && untilMs >= sinceMs)
    )
      return undefined;
    const restart = registrations.dataRestarts.findLast(({ startMs }) => startMs >= before.seenMs);
    if (restart !== undefined && this.#hasGrown(service, restart.stopMs)) return undefined;
    const losses = registrations.client(registration.client).losses.map(({ atMs }) => atMs);
    return {
      rule:
        restart === undefined && registrations.troubleMs < before.seenMs
          ? "5 a cut is not a death"
          : "6 no empty by accident",
      service,
      text:
        `${shown.registId} is missing in v${commit.version} at ${nowMs}, ` +
        `was in v${before.version} (last seen ${before.seenMs}); ` +
        `its client lost connections at ${losses.join(", ")}; acknowledged at ` +
        registration.acknowledgements.map(({ atMs }) => atMs).join(", "),
    };
  }

  /**
   * After a restart a node waits for as many publishers as it had, not for the same ones: a new one counts for an old
   * one that is not back yet. And it does not know of those that came right before.
   */
  #hasGrown(service: DataInfoId, stopMs: number): boolean {
    // The commit in question is among those that count: whoever is new in it is a reason too.
    const { registrations, commits } = this.#evidence;
    return Math.max(registrations.growthMs(service), commits.grewMs(service)) > stopMs - SIZES_AGE_MS;
  }
}
