// Recovers publications known only from the lists of other sessions. A leader that is cut off together with a session
// may have shown subscribers everywhere that session's last publications before its follower heard of them. The
// follower leads next and can't ask that session; but any session that was shown the list can report it. So a session
// whose list is newer than the leader's first state is asked for that list before it is answered, and its subscribers
// don't go back.

import type { PublishItem } from "../cluster/messages/sessionData.ts";
import type { DatumSnapshot, DatumVersion } from "../model/datum.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { Owner, Publication } from "../model/publication.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import type { Intake } from "./intake.ts";
import { leftItem } from "./items.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { Sessions } from "./sessions.ts";
import type { Slots } from "./slots.ts";

// A session that is asked answers at once, or its link is closed; one of an older release does not know the question.
// Longer than an answer takes, and less than the five seconds between two scans, with which the others come again.
const ANSWER_MS = 2_000;

interface Asked {
  readonly session: NodeId;
  readonly version: bigint;
  readonly atMs: number;
}

interface Parts {
  readonly slots: Slots;
  readonly sessions: Sessions;
  readonly intake: Pick<Intake, "take">;
}

export class Recall {
  readonly #slots: Slots;
  readonly #sessions: Sessions;
  readonly #intake: Parts["intake"];
  readonly #output: Pick<DataOutput, "toSession">;
  readonly #asked = new Map<ServiceKey, Asked>();

  constructor({ slots, sessions, intake }: Parts, output: Pick<DataOutput, "toSession">) {
    this.#slots = slots;
    this.#sessions = sessions;
    this.#intake = intake;
    this.#output = output;
  }

  /**
   * A session that has `have` is about to be answered. Returns true if its list, or a newer one, is requested first;
   * the session waits then. Once every session has been heard, no list can contain more.
   */
  askFirst(datum: Datum, session: NodeId, { have, nowMs }: { have: DatumVersion; nowMs: number }): boolean {
    const led = this.#slots.ledSlot(datum.slot);
    if (led === undefined || !isLater(have, datum, led)) return false;
    const asked = this.#asked.get(datum.serviceKey);
    const isLate = asked !== undefined && nowMs - asked.atMs > ANSWER_MS;
    if (isLate && asked.session === session) {
      this.#asked.delete(datum.serviceKey);
      return false;
    }
    if (asked === undefined || isLate || have.version > asked.version) {
      if (this.#absent(led, session, datum).size === 0) {
        // This version need not be looked for again: there may be hundreds of sessions.
        if (led.hasHeard(session)) datum.inherited = have;
        return false;
      }
      this.#asked.set(datum.serviceKey, { session, version: have.version, atMs: nowMs });
      this.#output.toSession(session, { kind: "recall", serviceKey: datum.serviceKey });
    }
    datum.interest.wait(session, have);
    return true;
  }

  /** The list of a session that was asked for it. Returns the datum whose waiting sessions can be answered now. */
  recalled(from: NodeId, list: DatumSnapshot, nowMs: number): Datum | undefined {
    const led = this.#slots.leading(list.serviceKey);
    const datum = led?.contents.datums.get(list.serviceKey);
    if (led !== undefined && datum !== undefined) {
      if (isLater(list, datum, led)) this.#learn(led, datum, { list, from, nowMs });
      // The version that it named may be gone again.
      if (datum.interest.isWaiting(from)) datum.interest.wait(from, { version: list.version, origin: list.origin });
    }
    return this.#asked.get(list.serviceKey)?.session === from ? this.#over(list.serviceKey) : undefined;
  }

  /**
   * The session's link is gone: the next session with a newer list is asked. Returns the datums whose waiting sessions
   * can be answered now.
   */
  unlinked(session: NodeId): Datum[] {
    const over: Datum[] = [];
    for (const [serviceKey, asked] of [...this.#asked]) {
      this.#slots.datum(serviceKey)?.interest.answered(session);
      const datum = asked.session === session ? this.#over(serviceKey) : undefined;
      if (datum !== undefined) over.push(datum);
    }
    return over;
  }

  /** A newer slot table is here. */
  adopted(): void {
    for (const serviceKey of this.#asked.keys()) {
      if (this.#slots.leading(serviceKey) === undefined) this.#asked.delete(serviceKey);
    }
  }

  /** No question about this service is open any more. */
  #over(serviceKey: ServiceKey): Datum | undefined {
    this.#asked.delete(serviceKey);
    return this.#slots.datum(serviceKey);
  }

  /** Takes from the list the publications of absent sessions, both present and removed ones. */
  #learn(
    led: LedSlot,
    datum: Datum,
    { list, from, nowMs }: { list: DatumSnapshot; from: NodeId; nowMs: number },
  ): void {
    const absent = this.#absent(led, from, datum);
    const isKnownBetter = ({ registId, version }: Publication): boolean => {
      const live = datum.registration(registId);
      return live !== undefined && !absent.has(live.owner.session) && live.version >= version;
    };
    const listed = new Set<string>();
    const items: PublishItem[] = [];
    for (const publication of list.publications) {
      listed.add(publication.registId);
      // The session to which a client has moved answers for it, whatever the clocks show.
      if (!absent.has(publication.owner.session) || isKnownBetter(publication)) continue;
      items.push({ kind: "put", publication });
    }
    // Only with one and the same leader is it certain that a publication missing in the later list was removed in
    // between, and only if it was not reported to this leader since.
    if (list.origin === datum.inherited.origin) {
      const isOut = ({ session }: Owner): boolean => absent.has(session) && !led.spoke.has(session);
      for (const registration of datum.registrations(isOut)) {
        if (!listed.has(registration.registId)) items.push(leftItem(registration));
      }
    }
    datum.inherited = { version: list.version, origin: list.origin };
    this.#intake.take(items, nowMs);
  }

  /** Whether only this session may have been shown more than this leader has. */
  hasHeardAll(led: LedSlot, session: NodeId): boolean {
    return this.#absent(led, session).size === 0;
  }

  /**
   * Sessions whose clients may live and that have not reported their registrations in this slot, except `session`. With
   * `datum`, also those that own a registration of it: one whose lease ended before the slot was complete, or whose
   * loss is held, is shown here until it gets a lease anew or is let go.
   */
  #absent(led: LedSlot, session: NodeId, datum?: Datum): ReadonlySet<NodeId> {
    const absent = new Set<NodeId>();
    for (const known of this.#sessions.known()) if (known !== session && !led.hasHeard(known)) absent.add(known);
    const isOut = (owner: NodeId): boolean => owner !== session && !led.hasHeard(owner) && !absent.has(owner);
    const gone = datum === undefined ? [] : [...led.contents.owners()].filter(isOut);
    for (const owner of gone) {
      const [owned] = datum?.registrations(({ session: of }) => of === owner) ?? [];
      if (owned !== undefined) absent.add(owner);
    }
    return absent;
  }
}

/**
 * Whether a list is of a later state than everything that this leader has of earlier ones. A list of a leader that was
 * replaced in between, and continued by itself, is not later, whatever its number.
 */
function isLater({ version, origin }: DatumVersion, { inherited }: Datum, { leaderEpoch }: LedSlot): boolean {
  return origin !== leaderEpoch && origin >= inherited.origin && version > inherited.version;
}
