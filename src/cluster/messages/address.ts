// The messages about the registrations at an address between session and data nodes. A data node of an earlier release
// ignores the questions: its slots are then not answered for, and a question at the session ends at its time with what
// the others answered.

import type { Registration } from "../../model/publication.ts";

/** From session to data. */
export type AddressQuestion =
  /**
   * "Which registrations in these slots are of clients at this host?" Slots that the receiver does not lead are
   * ignored. Each of the others is answered for by one `addressAnswer` when it is served, once for each time that it is
   * asked.
   */
  | {
      readonly kind: "addressAsk";
      /** The sender's own number; asking again under it adds slots. */
      readonly question: number;
      /** As ids of clients name it (`hostOf`). */
      readonly host: string;
      readonly slots: readonly number[];
      /** The most entries that the sender wants, ADDRESS_ENTRIES_MAX at the most. */
      readonly entriesMax: number;
    }
  /** "I don't want the rest of these answers any more." */
  | { readonly kind: "addressRelease"; readonly questions: readonly number[] };

/** From data to session: all registrations at the host in some of the slots that were asked for. */
export interface AddressAnswerPart {
  readonly kind: "addressAnswer";
  readonly question: number;
  readonly slots: readonly number[];
  /**
   * Those of the slots that have services whose lists are held since a restart: the registrations there are not told.
   */
  readonly held: readonly number[];
  readonly entries: readonly Registration[];
  /**
   * All answers of this node to the question together would have more entries than were asked for. The rest of the
   * question is not answered. An entry counts twice if its slot was asked for again and answered for again.
   */
  readonly isCut: boolean;
}

/** The most entries for a question in all answers of one data node: a megabyte, and some milliseconds of encoding. */
export const ADDRESS_ENTRIES_MAX = 5_000;
/** The most questions of one session that wait for their answers, there and at each data node. Operators ask them. */
export const ADDRESS_QUESTIONS_MAX = 100;
