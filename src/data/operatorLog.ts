// The last changes of one datum, so that a session that is a little behind gets the difference and not the whole list.
// The log knows which registrations changed, not their contents: the newest state of each is in the datum.

import { defined } from "../base/assert.ts";
import { type DatumChange, type DatumDelta, type DatumVersion, isSameVersion } from "../model/datum.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { Publication, Stamp } from "../model/publication.ts";

/** One step from a version to the next. */
interface Step {
  readonly base: DatumVersion;
  readonly changed: readonly Changed[];
}

interface Changed {
  readonly registId: string;
  /** The removal's stamp; undefined for a put. */
  readonly removed: Stamp | undefined;
}

/** A chain of steps: each begins at the version at which the one before it ends. */
export class OperatorLog {
  readonly #serviceKey: ServiceKey;
  readonly #changesMax: number;
  #steps: Step[] = [];
  #changes = 0;
  #version: DatumVersion | undefined;

  /** Keeps at most `changesMax` changes; older ones are dropped. */
  constructor(serviceKey: ServiceKey, changesMax: number) {
    this.#serviceKey = serviceKey;
    this.#changesMax = changesMax;
  }

  append({ base, version, origin, changes }: DatumDelta): void {
    this.#version = { version, origin };
    this.#steps.push({ base, changed: changes.map(changedBy) });
    this.#changes += weight(changes);
    let drop = 0;
    while (this.#changes > this.#changesMax) {
      const oldest = this.#steps[drop++];
      if (oldest === undefined) break;
      this.#changes -= weight(oldest.changed);
    }
    if (drop > 0) this.#steps = this.#steps.slice(drop);
  }

  clear(): void {
    this.#steps = [];
    this.#changes = 0;
    this.#version = undefined;
  }

  /**
   * One delta from exactly `have` to the newest version, or undefined if the log does not reach back so far. `live`
   * knows the registrations that were put and not removed since.
   */
  since(have: DatumVersion, live: (registId: string) => Publication | undefined): DatumDelta | undefined {
    const first = this.#steps.findIndex(({ base }) => isSameVersion(base, have));
    if (first < 0 || this.#version === undefined) return undefined;
    // A publisher that changed several times counts once, at its newest.
    const newest = new Map<string, Stamp | undefined>();
    for (const { changed } of this.#steps.slice(first)) {
      for (const { registId, removed } of changed) {
        newest.delete(registId);
        newest.set(registId, removed);
      }
    }
    const changes = Array.from(newest, ([registId, removed]): DatumChange => {
      if (removed !== undefined) return { kind: "removed", registId, stamp: removed };
      return { kind: "put", publication: defined(live(registId), "what was put last is still there") };
    });
    return { ...this.#version, serviceKey: this.#serviceKey, base: have, changes };
  }
}

function changedBy(change: DatumChange): Changed {
  if (change.kind === "removed") return { registId: change.registId, removed: change.stamp };
  return { registId: change.publication.registId, removed: undefined };
}

// A version that was raised without a change takes its place in the chain too.
function weight(changes: readonly unknown[]): number {
  return Math.max(1, changes.length);
}
