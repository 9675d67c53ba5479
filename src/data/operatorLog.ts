// The last changes of one datum, so that a session that is a little behind gets the difference and not the whole list.

import { type DatumChange, type DatumDelta, type DatumVersion, isSameVersion } from "../model/datum.ts";
import type { DataInfoId } from "../model/ids.ts";

// Payloads that are replaced would live on in the log: not more of them than a notice or two could carry.
const LOG_BYTES_MAX = 64 * 1024;

/** A chain of deltas: each begins at the version at which the one before it ends. */
export class OperatorLog {
  readonly #dataInfoId: DataInfoId;
  readonly #changesMax: number;
  #deltas: DatumDelta[] = [];
  #changes = 0;
  #bytes = 0;

  /** Keeps at most `changesMax` changes; older ones are dropped. */
  constructor(dataInfoId: DataInfoId, changesMax: number) {
    this.#dataInfoId = dataInfoId;
    this.#changesMax = changesMax;
  }

  append(delta: DatumDelta): void {
    this.#deltas.push(delta);
    this.#changes += weightOf(delta);
    this.#bytes += bytesOf(delta);
    let drop = 0;
    while (this.#changes > this.#changesMax || this.#bytes > LOG_BYTES_MAX) {
      const oldest = this.#deltas[drop++];
      if (oldest === undefined) break;
      this.#changes -= weightOf(oldest);
      this.#bytes -= bytesOf(oldest);
    }
    if (drop > 0) this.#deltas = this.#deltas.slice(drop);
  }

  clear(): void {
    this.#deltas = [];
    this.#changes = 0;
    this.#bytes = 0;
  }

  /** One delta from exactly `have` to the newest version, or undefined if the log does not reach back so far. */
  since(have: DatumVersion): DatumDelta | undefined {
    const first = this.#deltas.findIndex((delta) => isSameVersion(delta.base, have));
    const last = this.#deltas.at(-1);
    if (first < 0 || last === undefined) return undefined;
    return {
      dataInfoId: this.#dataInfoId,
      base: have,
      version: last.version,
      origin: last.origin,
      changes: lastOfEach(this.#deltas.slice(first).flatMap((delta) => delta.changes)),
    };
  }
}

function bytesOf({ changes }: DatumDelta): number {
  return changes.reduce((sum, change) => sum + (change.kind === "put" ? change.publication.payload.length : 0), 0);
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
