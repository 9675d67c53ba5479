// Interested sessions are told each change of a service unasked, as long as they are interested.

import type { CounterPort } from "../base/metrics.ts";
import type { DataToSession } from "../cluster/messages/sessionData.ts";
import type { DatumDelta } from "../model/datum.ts";
import type { NodeId } from "../model/ids.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";

// A notice carries the change itself if it fits a few packets; for larger changes the session fetches.
const NOTICE_BYTES_MAX = 32 * 1024;
// The size of a change beside its payload: ids, zone, stamps.
const CHANGE_BYTES = 200;

export class Notices {
  readonly #interestMs: number;
  readonly #output: Pick<DataOutput, "toSession">;
  readonly #sent: CounterPort;

  /** An interest that was not repeated for `interestMs` is over. `sent` counts the notices. */
  constructor(interestMs: number, output: Pick<DataOutput, "toSession">, sent: CounterPort) {
    this.#interestMs = interestMs;
    this.#output = output;
    this.#sent = sent;
  }

  /** A change that has just become the newest version. */
  changed({ interest }: Datum, delta: DatumDelta, nowMs: number): void {
    const { serviceKey, version, origin } = delta;
    const notice: DataToSession =
      deltaBytes(delta) <= NOTICE_BYTES_MAX
        ? { kind: "delta", delta }
        : { kind: "changed", serviceKey, version: { version, origin } };
    for (const session of interest.sessionsSince(nowMs - this.#interestMs)) this.#send(session, notice);
  }

  /** The list is no longer held: sessions that do not wait for an answer hear of what has changed meanwhile. */
  shown({ interest, serviceKey, version }: Datum, nowMs: number): void {
    if (!interest.isUntold) return;
    interest.isUntold = false;
    for (const session of interest.sessionsSince(nowMs - this.#interestMs)) {
      if (!interest.isWaiting(session)) this.#send(session, { kind: "changed", serviceKey, version });
    }
  }

  #send(session: NodeId, notice: DataToSession): void {
    this.#sent.add(1);
    this.#output.toSession(session, notice);
  }
}

function deltaBytes(delta: DatumDelta): number {
  return delta.changes.reduce(
    (sum, change) => sum + CHANGE_BYTES + (change.kind === "put" ? change.publication.payload.length : 0),
    0,
  );
}
