// What only the lists of other sessions still know. A leader that is cut off together with a session may have shown
// everybody what that session's clients published last, and its follower had not heard of it yet. The follower leads
// next and can't ask that session; but whoever was shown it can say it. So a session whose list is newer than what the
// leader began with is asked for that list before it is answered, and its subscribers don't go back.

import type { DataToSession, PublishItem } from "../cluster/messages/sessionData.ts";
import type { DatumSnapshot, DatumVersion } from "../model/datum.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { Owner, Publication } from "../model/publication.ts";
import type { Datum } from "./datum.ts";
import { leftItem } from "./reconciliation.ts";
import type { Sessions } from "./sessions.ts";
import type { LedSlot, Slots } from "./slots.ts";

// A session that is asked answers at once, or its link is closed; one of an older release does not know the question.
// Longer than an answer takes, and less than the five seconds between two scans, with which the others come again.
const ANSWER_MS = 2_000;

interface Asked {
  readonly session: NodeId;
  readonly version: bigint;
  readonly atMs: number;
}

interface Effects {
  send(session: NodeId, message: DataToSession): void;
  take(items: readonly PublishItem[]): void;
  /** Nobody is asked about this service any more: who waits is answered. */
  answered(datum: Datum): void;
}

export class Recall {
  readonly #slots: Slots;
  readonly #sessions: Sessions;
  readonly #effects: Effects;
  readonly #asked = new Map<DataInfoId, Asked>();

  constructor({ slots, sessions }: { slots: Slots; sessions: Sessions }, effects: Effects) {
    this.#slots = slots;
    this.#sessions = sessions;
    this.#effects = effects;
  }

  /**
   * A session that has `have` is about to be answered. True if its list, or a newer one, is asked for first; it waits
   * then. Where every session has been heard, nobody's list knows more than they.
   */
  asks(datum: Datum, session: NodeId, { have, nowMs }: { have: DatumVersion; nowMs: number }): boolean {
    const led = this.#slots.ledSlot(datum.slot);
    if (led === undefined || !isLater(have, datum, led)) return false;
    const asked = this.#asked.get(datum.dataInfoId);
    const isLate = asked !== undefined && nowMs - asked.atMs > ANSWER_MS;
    if (isLate && asked.session === session) {
      this.#asked.delete(datum.dataInfoId);
      return false;
    }
    if (asked === undefined || isLate || have.version > asked.version) {
      if (this.#absent(led, session).size === 0) {
        // Of this version nobody needs to be looked for again: there may be hundreds of sessions.
        if (led.heard.has(session)) datum.inherited = have;
        return false;
      }
      this.#asked.set(datum.dataInfoId, { session, version: have.version, atMs: nowMs });
      this.#effects.send(session, { kind: "recall", dataInfoId: datum.dataInfoId });
    }
    datum.waiting.set(session, have);
    return true;
  }

  /** The list of a session that was asked for it. */
  recalled(from: NodeId, list: DatumSnapshot): void {
    const led = this.#slots.leading(list.dataInfoId);
    const datum = led?.contents.datums.get(list.dataInfoId);
    if (led !== undefined && datum !== undefined) {
      if (isLater(list, datum, led)) this.#learn(led, datum, { list, from });
      // What it said that it has may be gone again.
      if (datum.waiting.has(from)) datum.waiting.set(from, { version: list.version, origin: list.origin });
    }
    if (this.#asked.get(list.dataInfoId)?.session === from) this.#over(list.dataInfoId);
  }

  /** The session's link is gone: the next one that was shown more is asked. */
  unlinked(session: NodeId): void {
    for (const [dataInfoId, asked] of [...this.#asked]) {
      this.#slots.datum(dataInfoId)?.waiting.delete(session);
      if (asked.session === session) this.#over(dataInfoId);
    }
  }

  /** A newer slot table is here. */
  adopted(): void {
    for (const dataInfoId of this.#asked.keys()) {
      if (this.#slots.leading(dataInfoId) === undefined) this.#asked.delete(dataInfoId);
    }
  }

  #over(dataInfoId: DataInfoId): void {
    this.#asked.delete(dataInfoId);
    const datum = this.#slots.datum(dataInfoId);
    if (datum !== undefined) this.#effects.answered(datum);
  }

  /** Takes what the list knows of the publications of absent sessions: what there was, and what there was no more. */
  #learn(led: LedSlot, datum: Datum, { list, from }: { list: DatumSnapshot; from: NodeId }): void {
    const absent = this.#absent(led, from);
    const isKnownBetter = ({ registId, version }: Publication): boolean => {
      const live = datum.registration(registId);
      return live !== undefined && !absent.has(live.owner.session) && live.version >= version;
    };
    const listed = new Set<string>();
    const items: PublishItem[] = [];
    for (const publication of list.publications) {
      listed.add(publication.registId);
      // Whoever a client has moved to speaks for it, whatever the clocks say.
      if (!absent.has(publication.owner.session) || isKnownBetter(publication)) continue;
      items.push({ kind: "put", publication });
    }
    // Only of one leader it is sure that what is not in the later list was removed in between, and only of what was not
    // said to this one since.
    if (list.origin === datum.inherited.origin) {
      const isOut = ({ session }: Owner): boolean => absent.has(session) && !led.spoke.has(session);
      for (const registration of datum.registrations(isOut)) {
        if (!listed.has(registration.registId)) items.push(leftItem(registration));
      }
    }
    datum.inherited = { version: list.version, origin: list.origin };
    this.#effects.take(items);
  }

  /** Whether no session but this one may have been shown more than what is here. */
  hasHeardAll(led: LedSlot, session: NodeId): boolean {
    return this.#absent(led, session).size === 0;
  }

  /** Sessions whose clients may live and that have not said what they hold in this slot, but for `session`. */
  #absent({ heard }: LedSlot, session: NodeId): ReadonlySet<NodeId> {
    const absent = new Set<NodeId>();
    for (const known of this.#sessions.known()) if (known !== session && !heard.has(known)) absent.add(known);
    return absent;
  }
}

/**
 * Whether a list is of a later state than all that this leader has of those before it. What a leader said that was
 * replaced by others in between, and went on by itself, is not later, whatever its number.
 */
function isLater({ version, origin }: DatumVersion, { inherited }: Datum, { leaderEpoch }: LedSlot): boolean {
  return origin !== leaderEpoch && origin >= inherited.origin && version > inherited.version;
}
