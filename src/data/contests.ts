// Registrations of a slot that two sessions hold: one of them took it from the other only by a later time, because it
// takes the client for present and believes that the other session's clock is ahead. Most often it is right. But the
// client may have gone on to the other session without the first one's knowledge yet: when the first one notices, it
// takes back a registration that the other session still holds.
//
// A new leader, or one that lost a session's link, hears in any order which registrations sessions have taken
// meanwhile. So each later time may come from the session that the client has left, whose clock is ahead. So may the
// later time of a holding against which a session's publication has just lost.

import type { InventoryEntry } from "../cluster/messages/sessionData.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import { isKeptByLease, type Registration, type Stamp } from "../model/publication.ts";

// A client that moves between sessions whose clocks differ leaves one, until it moves on or ends. Beyond this many in a
// slot the oldest are forgotten: their registrations then go as if no other session had them.
const CONTESTS_MAX = 1_000;

/** The entry of the session that lost the registration, and the stamp that won it. */
export interface Contest {
  readonly loser: NodeId;
  readonly entry: InventoryEntry;
  readonly winner: Stamp;
}

type Key = Readonly<{ serviceKey: ServiceKey; registId: string }>;

export class Contests {
  readonly #contests = new Map<string, Contest>();

  get isEmpty(): boolean {
    return this.#contests.size === 0;
  }

  get(key: Key): Contest | undefined {
    return this.#contests.get(textOf(key));
  }

  delete(key: Key): void {
    this.#contests.delete(textOf(key));
  }

  clear(): void {
    this.#contests.clear();
  }

  /** `by` replaces `before`. `isLate`: its session may have taken it long ago. */
  replaced(before: Registration, by: Registration, isLate: boolean): void {
    if (!isContest(before, by, isLate) || before.owner.session === by.owner.session) return;
    // No session answers for it.
    if (isKeptByLease(before)) return;
    this.claimed(before.owner.session, before, { winner: by, isLate });
  }

  /** A session has an entry that lost against `winner`. `isLate`: it may have had it for long. */
  claimed(
    loser: NodeId,
    { serviceKey, registId, version, registeredMs }: InventoryEntry,
    { winner, isLate }: { readonly winner: Stamp; readonly isLate: boolean },
  ): void {
    if (!isContest({ version, registeredMs }, winner, isLate)) return;
    const key = textOf({ serviceKey, registId });
    this.#contests.delete(key);
    const won = { version: winner.version, registeredMs: winner.registeredMs };
    this.#contests.set(key, { loser, entry: { serviceKey, registId, version, registeredMs }, winner: won });
    if (this.#contests.size <= CONTESTS_MAX) return;
    for (const oldest of this.#contests.keys()) {
      this.#contests.delete(oldest);
      return;
    }
  }
}

/** A stamp that wins deliberately, by time alone, is later by the least amount. */
function isContest(loser: Stamp, winner: Stamp, isLate: boolean): boolean {
  const byMs = winner.registeredMs - loser.registeredMs;
  return winner.version === loser.version && (isLate ? byMs > 0 : byMs === 1);
}

function textOf({ serviceKey, registId }: Key): string {
  return `${registId}\n${serviceKey}`;
}
