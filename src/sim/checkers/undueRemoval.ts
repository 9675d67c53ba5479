// Rules 5 and 6: nothing disappears from a list but for a reason. A registration that one list shows and the next does
// not was taken back, or its client was gone for longer than it may be; that a connection broke, a node ended or a
// table changed is no reason. With one data node every list that it speaks of is looked at; with several, who may not
// know of each other, the lists that each subscriber takes.

import type { DataInfoId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import { countOf } from "../plan.ts";
import { Absences } from "./absence.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import { clientOf } from "./commits.ts";

// The sizes that a data node saves may be a second old, and the messages behind them a little more.
const SIZES_AGE_MS = 1_500;
// Between what a node knows and what it says.
const LAG_MS = 500;

/** A registration as a list shows it: which version, and whose word. */
interface Word {
  readonly version: bigint;
  readonly client: string;
}

/** A list as somebody was shown it, by registId. */
interface List {
  readonly version: bigint;
  readonly session: string;
  readonly shown: ReadonlyMap<string, Word>;
  /** Since when it was known to be true, and when it was last known to be the newest. */
  readonly firstMs: number;
  readonly lastMs: number;
}

interface Step {
  readonly service: DataInfoId;
  readonly before: List;
  readonly after: Omit<List, "firstMs" | "lastMs">;
  readonly nowMs: number;
}

export class UndueRemoval implements Checker {
  readonly #evidence: Evidence;
  readonly #absences: Absences;
  readonly #hasOneDataNode: boolean;
  // By subscriber.
  readonly #lists = new Map<string, List>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#absences = new Absences(evidence);
    this.#hasOneDataNode = countOf(evidence.plan, "data") === 1;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    if (fact.kind === "told") return this.#hasOneDataNode ? this.#told(nowMs) : undefined;
    if (fact.kind === "pushed" && fact.isTaken && !this.#hasOneDataNode) return this.#pushed(fact, nowMs);
    return undefined;
  }

  #told(nowMs: number): Finding | undefined {
    const sighting = this.#evidence.commits.last;
    if (sighting === undefined || !sighting.isNew || sighting.before === undefined) return undefined;
    const { commit, before } = sighting;
    if (commit.version < before.version) return undefined;
    const shownBy = (content: typeof commit.content) =>
      new Map(
        [...content.values()].map(({ registId, version, token }) => [registId, { version, client: clientOf(token) }]),
      );
    return this.#look({
      service: commit.service,
      before: { ...before, session: "", shown: shownBy(before.content), lastMs: before.seenMs },
      after: { ...commit, session: "", shown: shownBy(commit.content) },
      nowMs,
    });
  }

  #pushed(fact: Fact & { kind: "pushed" }, nowMs: number): Finding | undefined {
    const { service, registId: subscriber, version, session } = fact;
    const before = this.#lists.get(subscriber);
    const shown = new Map(fact.entries.map(shownEntry));
    const firstMs = Math.min(nowMs, ...this.#evidence.commits.at(service, version).map((commit) => commit.firstMs));
    const after = { version, session, shown };
    this.#lists.set(subscriber, { ...after, firstMs, lastMs: firstMs });
    if (before === undefined || this.#mayBeSplit(service, before, session)) return undefined;
    return this.#look({ service, before, after, nowMs });
  }

  /** Who moves from one side of a cut to the other meets leaders that do not know of each other. */
  #mayBeSplit(service: DataInfoId, { session, firstMs }: List, now: string): boolean {
    return session !== now && this.#evidence.nodes.isSplitSince(service, [session, now], firstMs);
  }

  #look(step: Step): Finding | undefined {
    for (const [registId, word] of step.before.shown) {
      if (step.after.shown.has(registId)) continue;
      const finding = this.#missing({ registId, ...word }, step);
      if (finding !== undefined) return finding;
    }
    return undefined;
  }

  #missing(gone: Word & { registId: string }, { service, before, after, nowMs }: Step): Finding | undefined {
    const { registrations, nodes } = this.#evidence;
    const [registration, twin] = registrations.twins(service, gone.registId);
    // Who of two that share a name may take it away from the other is nobody's promise.
    if (registration === undefined || twin !== undefined) return undefined;
    // A stranger that goes takes nothing away but its own word; whether that may be shown at all is said by owners.ts.
    if (gone.client !== registration.client) return undefined;
    if (registration.unpublished.some((version) => version > gone.version)) return undefined;
    const sinceMs = before.lastMs - LAG_MS;
    const absences = this.#absences.of(registration);
    if (absences.some(({ fromMs, untilMs }) => fromMs <= nowMs && untilMs >= sinceMs)) return undefined;
    const restart = nodes.dataRestarts.findLast(
      ({ startMs }) => startMs >= before.lastMs || this.#isApart(service, startMs),
    );
    if (restart !== undefined && this.#hasOneDataNode && this.#hasGrown(service, restart.stopMs)) return undefined;
    const isQuiet = restart === undefined && nodes.troubleMs < before.lastMs;
    const lost = registrations.client(registration.client).losses.map(placeOf).join(", ");
    const acknowledged = registration.acknowledgements.map(placeOf).join(", ");
    return {
      rule: isQuiet ? "5 a cut is not a death" : "6 no empty by accident",
      service,
      text:
        `${gone.registId} is missing in v${after.version} at ${nowMs}, ` +
        `was in v${before.version} (last seen ${before.lastMs}); ` +
        `its client lost connections at ${lost}; acknowledged at ${acknowledged}`,
    };
  }

  /** Whoever had the data node's place before may go on to speak on the other side of a cut. */
  #isApart(service: DataInfoId, atMs: number): boolean {
    const { nodes } = this.#evidence;
    const sessions = nodes.living("session").map(({ id }) => id);
    return nodes.apart(service, sessions, atMs).some(({ fromMs, untilMs }) => fromMs <= atMs && atMs <= untilMs);
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

function placeOf({ atMs, session }: { atMs: number; session: string }): string {
  return `${atMs} by ${session}`;
}

/** `zone/registId~version~client`. */
function shownEntry(entry: string): [string, Word] {
  const [registId = "", version = "0", client = ""] = entry.slice(entry.indexOf("/") + 1).split("~");
  return [registId, { version: BigInt(version), client }];
}
