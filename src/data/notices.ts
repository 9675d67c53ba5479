// Messages to sessions about a service: the answer to their questions, and every change as long as they are interested.

import type { DataToSession } from "../cluster/messages/sessionData.ts";
import { type DatumDelta, type DatumVersion, isSameVersion } from "../model/datum.ts";
import type { NodeId } from "../model/ids.ts";
import type { Datum } from "./datum.ts";

// A notice carries the change itself if it fits a few packets; for larger changes the session fetches.
const NOTICE_BYTES_MAX = 32 * 1024;
// The size of a change beside its payload: ids, zone, stamps.
const CHANGE_BYTES = 200;

interface Effects {
  send(session: NodeId, message: DataToSession): void;
  /** Whether the session first has to report the list that it was shown; it waits then. */
  recalls(datum: Datum, session: NodeId, have: DatumVersion): boolean;
  /** A session has a version that can't be compared with ours: the datum must get a higher one. */
  overtake(datum: Datum, have: DatumVersion): void;
}

export class Notices {
  readonly #interestMs: number;
  readonly #effects: Effects;

  /** An interest that was not repeated for `interestMs` is over. */
  constructor(interestMs: number, effects: Effects) {
    this.#interestMs = interestMs;
    this.#effects = effects;
  }

  /** A change that has just become the newest version. */
  changed(datum: Datum, delta: DatumDelta, nowMs: number): void {
    const { dataInfoId, version, origin } = delta;
    const notice: DataToSession =
      deltaBytes(delta) <= NOTICE_BYTES_MAX
        ? { kind: "delta", delta }
        : { kind: "changed", dataInfoId, version: { version, origin } };
    for (const session of this.#interestedIn(datum, nowMs)) this.#effects.send(session, notice);
  }

  /** A session asks; it will hear every change from now on. */
  asked(datum: Datum, session: NodeId, nowMs: number): void {
    datum.interested.set(session, nowMs);
  }

  /** The list is held: the session is answered at the end of the hold. */
  wait(datum: Datum, session: NodeId, have: DatumVersion): void {
    datum.waiting.set(session, have);
    this.#effects.send(session, { kind: "notReady", dataInfoId: datum.dataInfoId });
  }

  /**
   * The list is no longer held: waiting sessions are answered, and sessions that were told of every change before hear
   * of it.
   */
  shown(datum: Datum, nowMs: number): void {
    const { dataInfoId, version } = datum;
    const others = datum.isUntold ? this.#interestedIn(datum, nowMs).filter((one) => !datum.waiting.has(one)) : [];
    datum.isUntold = false;
    for (const session of others) this.#effects.send(session, { kind: "changed", dataInfoId, version });
    for (const [session, have] of [...datum.waiting]) this.answer(datum, session, { have, isScan: false });
  }

  /** Answers a session that has the version `have`. For a scan, silence means that this is the newest. */
  answer(datum: Datum, session: NodeId, { have, isScan }: { have: DatumVersion; isScan: boolean }): void {
    if (this.#effects.recalls(datum, session, have)) return;
    datum.waiting.delete(session);
    const isAhead = have.version > datum.version.version;
    const isOther = have.version === datum.version.version && have.origin !== datum.version.origin;
    if (isAhead || isOther) this.#effects.overtake(datum, have);
    if (isSameVersion(have, datum.version)) {
      if (!isScan) this.#effects.send(session, { kind: "current", dataInfoId: datum.dataInfoId });
      return;
    }
    const delta = datum.deltaSince(have);
    this.#effects.send(
      session,
      delta === undefined ? { kind: "snapshot", datum: datum.snapshot() } : { kind: "delta", delta },
    );
  }

  #interestedIn(datum: Datum, nowMs: number): NodeId[] {
    const oldestMs = nowMs - this.#interestMs;
    for (const [session, sinceMs] of datum.interested) if (sinceMs < oldestMs) datum.interested.delete(session);
    return [...datum.interested.keys()];
  }
}

function deltaBytes(delta: DatumDelta): number {
  return delta.changes.reduce(
    (sum, change) => sum + CHANGE_BYTES + (change.kind === "put" ? change.publication.payload.length : 0),
    0,
  );
}
