import type { ServiceKey } from "./ids.ts";
import type { Publication, Stamp } from "./publication.ts";

/** One publication put or removed; the unit of the operator log and of a delta. */
export type DatumChange =
  | { readonly kind: "put"; readonly publication: Publication }
  | { readonly kind: "removed"; readonly registId: string; readonly stamp: Stamp };

/**
 * A state of one service. Versions grow from leader to leader; but with two leaders that do not know of each other, the
 * higher number need not be the later list. `origin` is the leader epoch under which it was given.
 */
export interface DatumVersion {
  readonly version: bigint;
  readonly origin: bigint;
}

export const NO_DATUM_VERSION: DatumVersion = { version: 0n, origin: 0n };

export function isSameVersion(a: DatumVersion, b: DatumVersion): boolean {
  return a.version === b.version && a.origin === b.origin;
}

/** Changes that lead from exactly the state `base` to exactly the named one. */
export interface DatumDelta extends DatumVersion {
  readonly serviceKey: ServiceKey;
  readonly base: DatumVersion;
  readonly changes: readonly DatumChange[];
}

/** All publications of one service in one state. */
export interface DatumSnapshot extends DatumVersion {
  readonly serviceKey: ServiceKey;
  readonly publications: readonly Publication[];
}
