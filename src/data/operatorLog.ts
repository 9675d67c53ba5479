// The last changes of one datum, so that a session that is a little behind gets the difference and not the whole list.

import type { DatumChange, DatumDelta } from "../model/datum.ts";
import type { DataInfoId } from "../model/ids.ts";

/** A chain of deltas: each begins at the version at which the one before it ends. */
export class OperatorLog {
  readonly #dataInfoId: DataInfoId;
  readonly #changesMax: number;
  #deltas: DatumDelta[] = [];
  #changes = 0;

  /** Keeps at most `changesMax` changes; older ones are dropped. */
  constructor(dataInfoId: DataInfoId, changesMax: number) {
    this.#dataInfoId = dataInfoId;
    this.#changesMax = changesMax;
  }

  append(delta: DatumDelta): void {
    this.#deltas.push(delta);
    this.#changes += weightOf(delta);
    let drop = 0;
    while (this.#changes > this.#changesMax) {
      const oldest = this.#deltas[drop++];
      this.#changes -= oldest === undefined ? this.#changes : weightOf(oldest);
    }
    if (drop > 0) this.#deltas = this.#deltas.slice(drop);
  }

  /** One delta from exactly `have` to the newest version, or undefined if the log does not reach back so far. */
  since(have: bigint): DatumDelta | undefined {
    const first = this.#deltas.findIndex((delta) => delta.base === have);
    const last = this.#deltas.at(-1);
    if (first < 0 || last === undefined) return undefined;
    return {
      dataInfoId: this.#dataInfoId,
      base: have,
      version: last.version,
      changes: lastOfEach(this.#deltas.slice(first).flatMap((delta) => delta.changes)),
    };
  }
}

// A version that was raised without a change takes its place in the chain too.
function weightOf(delta: DatumDelta): number {
  return Math.max(1, delta.changes.length);
}

// A publisher that changed several times counts once, at its newest.
function lastOfEach(changes: readonly DatumChange[]): DatumChange[] {
  const byRegistId = new Map<string, DatumChange>();
  for (const change of changes) {
    const registId = change.kind === "put" ? change.publication.registId : change.registId;
    byRegistId.delete(registId);
    byRegistId.set(registId, change);
  }
  return [...byRegistId.values()];
}
