// The messages about the catalogue between session and data nodes. A data node of an earlier release ignores the
// questions: its slots are then never told, and a question at the session ends at its time with what the others told.

import type { CatalogueEntry } from "../../model/catalogue.ts";
import type { DatumVersion } from "../../model/datum.ts";
import type { CatalogueScope, ServiceKey } from "../../model/ids.ts";
import type { SlotDigest } from "./slotDigest.ts";

/** From session to data. */
export type CatalogueQuestion =
  /**
   * "I want to hear of the services of this scope in slots that you lead." Repeated with each version scan. Each slot
   * is answered by `catalogue` when it is served, unless its digest agrees; `catalogueChanged` follows.
   */
  | {
      readonly kind: "catalogueWatch";
      readonly scope: CatalogueScope;
      /** The slots of which the sender has been told, with what it has. */
      readonly known: readonly SlotDigest[];
      /** The slots of which it has never been told. */
      readonly unknown: readonly number[];
      /** Versions that the sender has shown and that are higher than what it was told: the lists must go above them. */
      readonly ahead: readonly (readonly [ServiceKey, DatumVersion])[];
    }
  /** "I don't want to hear of these any more." */
  | { readonly kind: "catalogueRelease"; readonly scopes: readonly CatalogueScope[] };

/** From data to session. */
export type CatalogueMessage =
  /** A slot's services in the scope, in parts of up to CATALOGUE_ENTRIES_MAX. */
  | {
      readonly kind: "catalogue";
      readonly scope: CatalogueScope;
      readonly slot: number;
      readonly entries: readonly CatalogueEntry[];
      /** Services whose lists are held: the receiver goes on to show what it has of them. */
      readonly held: readonly ServiceKey[];
      readonly isFirst: boolean;
      readonly isLast: boolean;
    }
  /** Changes for a receiver whose entries of the slot have exactly this digest; another one asks. */
  | {
      readonly kind: "catalogueChanged";
      readonly scope: CatalogueScope;
      readonly base: SlotDigest;
      /** With size 0: the service has no publisher any more. */
      readonly entries: readonly CatalogueEntry[];
    };

/** The most entries in one part of a catalogue: some 200 kB. */
export const CATALOGUE_ENTRIES_MAX = 2_000;
/** The most scopes that one session watches. */
export const CATALOGUE_SCOPES_MAX = 64;
