// Rules 5 and 6: nothing disappears from a list without a reason. A registration that one list shows and the next does
// not was taken back, or its client was gone for longer than allowed; a broken connection, an ended node or a changed
// table is not a reason. With one data node every list that it names is checked; with several, which may not know of
// each other, the lists that each subscriber takes.

import type { ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import { countOf } from "../plan.ts";
import { Absences } from "./absence.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import { clientOf } from "./commits.ts";
import { isOfLeftBehind } from "./leftBehind.ts";

// The sizes that a data node saves may be a second old, and the messages behind them a little more.
const SIZES_AGE_MS = 1_500;
// The time between a node's knowledge and its messages.
const LAG_MS = 500;

/** A registration in a list: its version and its client. */
interface Word {
  readonly version: bigint;
  readonly client: string;
}

/** A list as a subscriber was shown it, by registId. */
interface List {
  readonly version: bigint;
  readonly session: string;
  readonly shown: ReadonlyMap<string, Word>;
  /** The times since which it was known to be true, and at which it was last known to be the newest. */
  readonly firstMs: number;
  readonly lastMs: number;
}

interface Step {
  readonly service: ServiceKey;
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
    if (before === undefined || this.#mayBeSplit(service, before, after)) return undefined;
    return this.#look({ service, before, after, nowMs });
  }

  /**
   * A subscriber that moves from one side of a cut to the other meets leaders that do not know of each other, or one
   * that could not hear from meta that it has been replaced.
   */
  #mayBeSplit(service: ServiceKey, before: List, now: Pick<List, "session" | "version">): boolean {
    if (before.session === now.session) return false;
    const { nodes } = this.#evidence;
    return (
      nodes.isSplitSince(service, [before.session, now.session], before.firstMs) ||
      [before, now].some(({ version }) => isOfLeftBehind(this.#evidence, service, version))
    );
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
    const { registrations, nodes, commits } = this.#evidence;
    const [registration, twin] = registrations.twins(service, gone.registId);
    // There is no promise as to which of two clients with one name may take it from the other.
    if (registration === undefined || twin !== undefined) return undefined;
    // A departing stranger takes away only its own registration; owners.ts judges whether that may be shown at all.
    if (gone.client !== registration.client) return undefined;
    // Operators take it offline and bring it back: the list has it or not, and Timeliness judges which.
    if (this.#evidence.rules.mayHide(gone.client)) return undefined;
    // A stranger of another zone may have it: owners.ts judges that too.
    const isStrangers = commits.at(service, after.version).some(({ content }) => {
      const token = content.get(gone.registId)?.token;
      return token !== undefined && clientOf(token) !== registration.client;
    });
    if (isStrangers) return undefined;
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

  /** The data node's predecessor may go on to answer on the other side of a cut. */
  #isApart(service: ServiceKey, atMs: number): boolean {
    const { nodes } = this.#evidence;
    const sessions = nodes.living("session").map(({ id }) => id);
    return nodes.apart(service, sessions, atMs).some(({ fromMs, untilMs }) => fromMs <= atMs && atMs <= untilMs);
  }

  /**
   * After a restart a node waits for its earlier number of publishers, not for the same ones: a new one counts for an
   * old one that is not back yet. It also does not know of those that came right before.
   */
  #hasGrown(service: ServiceKey, stopMs: number): boolean {
    // The commit in question is among those that count: a new registration in it is a reason too.
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
