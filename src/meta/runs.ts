// The process that a node's name stands for. A restarted node is another run, and takes the place of the earlier one at
// once. Two living processes with one name, from a copied data directory, are a mistake: the one that came first stays.

import { type NodeId, nodeNameOf } from "../model/ids.ts";

/** The signs of life of a process: whether it lives, and the time since which it must have been heard. */
export interface RunSigns {
  /** The time at which it was last heard, in any of its roles. */
  heardMs(run: NodeId): number;
  hasLink(run: NodeId): boolean;
}

/** Whether a run of a node may be a member; `replaced` is the earlier run that ends with it. */
export type RunAdmission =
  | { readonly kind: "admitted"; readonly replaced: NodeId | undefined }
  /** Another run of the name seems to live; that is not yet certain. */
  | { readonly kind: "waits" }
  | { readonly kind: "refused"; readonly reason: string };

/** A run that has a link but sends nothing for this long is taken for dead as soon as another one comes. */
export const RUN_SILENT_MS = 3_000;

// The last messages of a dead run may arrive after the first ones of the next. A run that still sends this long after
// another has come is alive.
const RUN_PROOF_MS = 1_000;

// Replaced runs are remembered, so that none of them comes back. Beyond this number the oldest are forgotten.
const REPLACED_MAX = 10_000;

// Processes that wait for one name; more than a few are not ours.
const RIVALS_MAX = 8;

interface Name {
  readonly run: NodeId;
  /** Other runs that want the name, with the time at which each came. */
  readonly rivals: Map<NodeId, number>;
}

export class Runs {
  readonly #names = new Map<string, Name>();
  readonly #replaced = new Set<NodeId>();

  /** The run that the name stands for; undefined if none was heard. */
  current(name: string): NodeId | undefined {
    return this.#names.get(name)?.run;
  }

  /** A process speaks. */
  admit(run: NodeId, signs: RunSigns, nowMs: number): RunAdmission {
    const name = nodeNameOf(run);
    if (this.#replaced.has(run)) return { kind: "refused", reason: replacedReason(name) };
    const known = this.#names.get(name);
    if (known === undefined || known.run === run) {
      if (known === undefined) this.#names.set(name, { run, rivals: new Map() });
      return { kind: "admitted", replaced: undefined };
    }
    const heardMs = signs.heardMs(known.run);
    if (!signs.hasLink(known.run) || nowMs - heardMs >= RUN_SILENT_MS) {
      this.replaced(known.run);
      this.#names.set(name, { run, rivals: new Map() });
      return { kind: "admitted", replaced: known.run };
    }
    const { rivals } = known;
    const sinceMs = rivals.get(run) ?? nowMs;
    if (!rivals.has(run) && rivals.size < RIVALS_MAX) rivals.set(run, nowMs);
    if (heardMs <= sinceMs + RUN_PROOF_MS) return { kind: "waits" };
    return { kind: "refused", reason: twiceReason(name) };
  }

  /** Another run has taken this one's place. */
  replaced(run: NodeId): void {
    this.#replaced.add(run);
    if (this.#replaced.size <= REPLACED_MAX) return;
    for (const oldest of this.#replaced) {
      this.#replaced.delete(oldest);
      return;
    }
  }

  /** The process is gone; the next one under its name may have it. */
  ended(run: NodeId): void {
    const name = nodeNameOf(run);
    if (this.#names.get(name)?.run === run) this.#names.delete(name);
  }
}

function replacedReason(name: string): string {
  return `a newer process has replaced this one as node "${name}"; only one process may use a data directory`;
}

function twiceReason(name: string): string {
  return `another process is running as node "${name}": a data directory was copied, or is used twice; use another one`;
}
