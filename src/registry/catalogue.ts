// Questions about which services there are, for protocols with lists of services and for operators. As a question about
// a list, one about the catalogue belongs to no client.

import type { RegistryError } from "../base/errors.ts";
import type { CatalogueEntry } from "../model/catalogue.ts";
import type { CatalogueScope } from "../model/ids.ts";
import type { NamePattern } from "../model/namePattern.ts";

/** The side of a question to which its answers go. Nothing comes after `gaveUpCatalogue`, or after a failure. */
export interface CatalogueAsker {
  /** Called once, perhaps before `step` returns. */
  answer(answer: CatalogueAnswer): void;
  /**
   * Called after the answer to a standing question: the changes of one step, in order. Size 0: the service is gone. An
   * entry's version is never below one that was named before.
   */
  changed(entries: readonly CatalogueEntry[]): void;
}

/** The answer to a question about the catalogue. */
export type CatalogueAnswer =
  | {
      readonly kind: "catalogue";
      /** In no order. */
      readonly entries: readonly CatalogueEntry[];
      /** False: the time was over before all slots had been told, and services may be missing. */
      readonly isWhole: boolean;
      /** More services match than were asked for. */
      readonly isCut: boolean;
      /** The services of the scope whose lists are held since a restart, and of which nothing can be shown yet. */
      readonly unshown: number;
    }
  /** QUERIES_EXHAUSTED: too many wait or watch. CATALOGUE_TOO_LARGE: the session can't hold what is asked for. */
  | { readonly kind: "failed"; readonly error: RegistryError };

/** A question about the catalogue, or the end of one. */
export type CatalogueEvent =
  /**
   * Answered when the session has been told of all slots, at once if that is so, and at `untilMs` with what there is:
   * slots that are not complete, or led by a data node of an earlier release, are not told.
   */
  | {
      readonly kind: "askedCatalogue";
      readonly asker: CatalogueAsker;
      readonly scope: CatalogueScope;
      readonly pattern: NamePattern;
      /** The most entries in the answer. */
      readonly entriesMax: number;
      readonly untilMs: number;
      /** Changes follow, until the asker gives up. */
      readonly isStanding: boolean;
    }
  | { readonly kind: "gaveUpCatalogue"; readonly asker: CatalogueAsker };
