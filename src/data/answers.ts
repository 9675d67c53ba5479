// The answers to sessions that ask for a service's list, at once or when it is no longer held.

import type { Metrics } from "../base/metrics.ts";
import { type DatumVersion, isSameVersion } from "../model/datum.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import type { EmptyServices } from "./emptyServices.ts";
import type { ForeignVersions } from "./foreignVersions.ts";
import type { Notices } from "./notices.ts";
import type { Overtaking } from "./overtaking.ts";
import type { Recall } from "./recall.ts";
import type { RestartHold } from "./restartHold.ts";
import type { Slots } from "./slots.ts";
import type { VersionFloor } from "./versionFloor.ts";

/** A session's question: the version that it has, and whether silence means that this is the newest. */
interface Question {
  readonly have: DatumVersion;
  readonly isScan: boolean;
}

interface Parts {
  readonly slots: Slots;
  readonly hold: Pick<RestartHold, "holds">;
  readonly versions: VersionFloor;
  readonly foreign: Pick<ForeignVersions, "checkedHave">;
  readonly empty: EmptyServices;
  readonly notices: Pick<Notices, "shown">;
  readonly recall: Pick<Recall, "askFirst" | "hasHeardAll">;
  readonly overtaking: Pick<Overtaking, "overtake">;
}

export class Answers {
  readonly #parts: Parts;
  readonly #output: Pick<DataOutput, "toSession">;
  readonly #metrics: Metrics;

  constructor(parts: Parts, output: Pick<DataOutput, "toSession">, metrics: Metrics) {
    this.#parts = parts;
    this.#output = output;
    this.#metrics = metrics;
  }

  /**
   * Answers a session; it hears every change from now on. A service without publishers has a version too: its emptiness
   * is a fact to be pushed.
   */
  asked(from: NodeId, serviceKey: ServiceKey, { have: named, isScan }: Question, nowMs: number): void {
    const { slots, hold, versions, foreign, empty, recall } = this.#parts;
    const led = slots.leading(serviceKey);
    if (led === undefined) return this.#output.toSession(from, { kind: "notReady", serviceKey });
    const have = foreign.checkedHave(named, { what: isScan ? "scan" : "fetch", from }, nowMs);
    const known = led.contents.datums.get(serviceKey);
    const isHeld = known === undefined && hold.holds({ serviceKey, slot: led.contents.slot });
    if (known === undefined && !isHeld && empty.areTooMany && recall.hasHeardAll(led, from)) {
      versions.raise(have.version);
      const answer = empty.answer(led, { serviceKey, have, isScan }, nowMs);
      if (answer !== undefined) this.#output.toSession(from, answer);
      return;
    }
    const datum = known ?? led.contents.add(serviceKey, versions.give(nowMs, led.leaderEpoch));
    datum.interest.asked(from, nowMs);
    if (led.isServing && !hold.holds(datum)) return this.#answer(datum, from, { have, isScan }, nowMs);
    datum.interest.wait(from, have);
    this.#output.toSession(from, { kind: "notReady", serviceKey });
  }

  /**
   * Answers a session that has shown this version in part: if it is the newest, the list gets a higher one without a
   * change. A list that is not shown yet is asked for like any other.
   */
  reissue(from: NodeId, { serviceKey, have }: { serviceKey: ServiceKey; have: DatumVersion }, nowMs: number): void {
    const { slots, hold, overtaking } = this.#parts;
    const led = slots.leading(serviceKey);
    const datum = led?.contents.datums.get(serviceKey);
    const isShown = led?.isServing === true && datum !== undefined && !hold.holds(datum);
    if (isShown && isSameVersion(have, datum.version)) overtaking.overtake(datum, have, nowMs);
    this.asked(from, serviceKey, { have, isScan: false }, nowMs);
  }

  /**
   * A reason for holding the list is gone: waiting sessions are answered, and the others hear of the changes, unless
   * another reason holds it.
   */
  show(datum: Datum, nowMs: number): void {
    const { slots, hold, notices } = this.#parts;
    const isServing = slots.ledSlot(datum.slot)?.isServing === true;
    if (!isServing || hold.holds(datum)) return;
    notices.shown(datum, nowMs);
    for (const [session, have] of datum.interest.waiting()) {
      this.#answer(datum, session, { have, isScan: false }, nowMs);
    }
  }

  #answer(datum: Datum, session: NodeId, { have, isScan }: Question, nowMs: number): void {
    const { recall, overtaking } = this.#parts;
    if (recall.askFirst(datum, session, { have, nowMs })) return;
    datum.interest.answered(session);
    const isAhead = have.version > datum.version.version;
    const isOther = have.version === datum.version.version && have.origin !== datum.version.origin;
    if (isAhead || isOther) overtaking.overtake(datum, have, nowMs);
    if (isSameVersion(have, datum.version)) {
      if (!isScan) this.#output.toSession(session, { kind: "current", serviceKey: datum.serviceKey });
      return;
    }
    if (isScan) {
      this.#metrics.add("roster_divergence_found_total", 1, { by: "scan" });
      this.#metrics.add("roster_divergence_repaired_total", 1, { by: "scan" });
    }
    const delta = datum.deltaSince(have);
    this.#output.toSession(
      session,
      delta === undefined ? { kind: "snapshot", datum: datum.snapshot() } : { kind: "delta", delta },
    );
  }
}
