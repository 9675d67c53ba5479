import type { DataInfoId } from "./ids.ts";
import type { Publication, Stamp } from "./publication.ts";

/** One publication put or removed; the unit of the operator log and of a delta. */
export type DatumChange =
  | { readonly kind: "put"; readonly publication: Publication }
  | { readonly kind: "removed"; readonly registId: string; readonly stamp: Stamp };

/** Changes that lead from exactly version `base` to exactly `version`. */
export interface DatumDelta {
  readonly dataInfoId: DataInfoId;
  readonly base: bigint;
  readonly version: bigint;
  readonly changes: readonly DatumChange[];
}

/** All publications of one service at one version. */
export interface DatumSnapshot {
  readonly dataInfoId: DataInfoId;
  readonly version: bigint;
  readonly publications: readonly Publication[];
}
