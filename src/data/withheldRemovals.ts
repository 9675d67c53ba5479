// A session reports that a client has left, but the client may only have moved: subscribers must see no difference
// then. If another session holds the same registration, which lost only by its time, that session is asked before
// anything is removed: it answers at once, with the registration or by reporting that its client has left too. One that
// stands still, or can't hear the question, is waited for as long as its own registrations are, and asked again when
// its link is made. A session whose lease is over, or whose node has another run, is not asked. Also, a process that
// stood still reads its links in any order, the end of the old connection perhaps before the return at another session:
// for a moment after a stall no departed client's registration is removed.

import { Deadlines } from "../base/deadlines.ts";
import type { DataToSession, PublishItem } from "../cluster/messages/sessionData.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import { compareStamps, type Registration, type Stamp } from "../model/publication.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import { keyOf, supersededBy, wantedOf } from "./items.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { Sessions } from "./sessions.ts";

// The time between two looks at what is known of a session that has not answered.
const LOOK_MS = 5_000;
// A session whose link still stands after this does not answer. Each end of a link takes up to six seconds to give it
// up: five of silence, judged once a second. If messages no longer pass to the session, that end has to notice; if then
// its own ones don't pass either, this end needs its six seconds after that. Clocks may be off, and a message slow.
const ANSWER_MS = 15_000;
// Within this a process that stood still has read the waiting input of all its links.
const CATCH_UP_MS = 1_000;

/** A removal on its way to a datum. */
export type RemoveItem = Extract<PublishItem, { kind: "remove" }>;

type Wanted = Extract<DataToSession, { kind: "wanted" }>;

/** The question whether a client is at another session. */
interface Question {
  readonly asked: NodeId;
  readonly askedMs: number;
  readonly message: Wanted;
  /** The client there is most likely the one that left. */
  readonly isOfOneHost: boolean;
}

interface Withheld {
  /** Undefined if this only waits for unread input, or the answer has come. */
  readonly question: Question | undefined;
  readonly item: RemoveItem;
  /** The registration that it removes: older than the removal's if the client's last publication never got here. */
  readonly held: Stamp;
}

export class WithheldRemovals {
  readonly #sessions: Pick<Sessions, "isLinked" | "mayReturn">;
  readonly #output: Pick<DataOutput, "toSession">;
  readonly #withheld = new Map<string, Withheld>();
  readonly #ends = new Deadlines<string>();
  #resumedMs = Number.NEGATIVE_INFINITY;
  #caughtUpMs = Number.NEGATIVE_INFINITY;

  constructor(sessions: Pick<Sessions, "isLinked" | "mayReturn">, output: Pick<DataOutput, "toSession">) {
    this.#sessions = sessions;
    this.#output = output;
  }

  /** Checks the removal of a departed client before it is applied. Returns true if it waits for an answer. */
  withhold(
    item: RemoveItem,
    from: NodeId,
    { led, datum, nowMs }: { led: LedSlot; datum: Datum; nowMs: number },
  ): boolean {
    const { contests, challenges } = led.contents;
    const isCatchingUp = nowMs < this.#caughtUpMs;
    if (!isCatchingUp && contests.isEmpty && challenges.isEmpty && this.#withheld.size === 0) return false;
    const { removal } = item;
    const key = keyOf(removal);
    challenges.withdraw(removal, from);
    const waiting = this.#withheld.get(key);
    if (waiting?.question?.asked === from) this.#keep(key, { ...waiting, question: undefined }, nowMs);
    const contest = contests.get(removal);
    const isWinner = contest !== undefined && compareStamps(removal.stamp, contest.winner) === 0;
    if (isWinner || contest?.loser === from) contests.delete(removal);
    const live = datum.registration(removal.registId);
    if (live === undefined) return false;
    const order = compareStamps(live, removal.stamp);
    if (order > 0 || (order < 0 && live.owner.session !== from)) return false;
    const held = { version: live.version, registeredMs: live.registeredMs };
    // Reported again, by a batch that was repeated or an inventory: the other session has the rest of its time.
    if (this.has(live)) return true;
    if (isWinner && order === 0 && this.#sessions.mayReturn(contest.loser)) {
      const superseded = [{ ...supersededBy(datum, contest.entry), isRemoved: true }];
      const message: Wanted = { kind: "wanted", slot: datum.slot, keys: [], superseded };
      this.#ask(key, { item, held, question: { asked: contest.loser, askedMs: nowMs, message, isOfOneHost: true } });
      return true;
    }
    const challenge = live.owner.session === from ? challenges.markGranted(live, nowMs) : undefined;
    if (challenge !== undefined) {
      const { session: asked, isOfOneHost } = challenge;
      const message = wantedOf(datum.slot, removal);
      this.#ask(key, { item, held, question: { asked, askedMs: nowMs, message, isOfOneHost } });
    } else if (isCatchingUp) this.#keep(key, { item, held, question: undefined }, this.#caughtUpMs);
    return challenge !== undefined || isCatchingUp;
  }

  /** Whether the removal of exactly this registration waits. */
  has(live: Registration): boolean {
    const held = this.#withheld.size === 0 ? undefined : this.#withheld.get(keyOf(live))?.held;
    return held !== undefined && compareStamps(held, live) === 0;
  }

  /** Another client has the registration now, and its removal is void. */
  drop(key: { readonly serviceKey: ServiceKey; readonly registId: string }): void {
    if (this.#withheld.size === 0) return;
    const text = keyOf(key);
    this.#withheld.delete(text);
    this.#ends.delete(text);
  }

  /** This process stood still. */
  resumed(nowMs: number): void {
    this.#resumedMs = nowMs;
    this.#caughtUpMs = nowMs + CATCH_UP_MS;
    this.#ends.postpone(this.#caughtUpMs);
  }

  /** A link to this session is made: what it was asked may have been lost with the one before. */
  linked(session: NodeId, nowMs: number): void {
    for (const [key, { question, ...withheld }] of this.#withheld) {
      if (question?.asked === session) this.#ask(key, { ...withheld, question: { ...question, askedMs: nowMs } });
    }
  }

  #ask(key: string, withheld: Withheld & { readonly question: Question }): void {
    const { question } = withheld;
    this.#keep(key, withheld, question.askedMs + LOOK_MS);
    this.#output.toSession(question.asked, question.message);
  }

  #keep(key: string, withheld: Withheld, untilMs: number): void {
    this.#withheld.set(key, withheld);
    this.#ends.set(key, untilMs);
  }

  nextMs(): number {
    return this.#ends.nextMs();
  }

  /**
   * No session has answered for these: their clients are gone. Something newer that has come meanwhile refuses them.
   */
  takeEnded(nowMs: number): PublishItem[] {
    const items: PublishItem[] = [];
    for (let key = this.#ends.take(nowMs); key !== undefined; key = this.#ends.take(nowMs)) {
      const withheld = this.#withheld.get(key);
      if (withheld?.question !== undefined && this.#mayAnswer(withheld.question, nowMs)) {
        this.#ends.set(key, nowMs + LOOK_MS);
        continue;
      }
      this.#withheld.delete(key);
      if (withheld !== undefined) items.push(withheld.item);
    }
    return items;
  }

  /** Whether the session may still answer, now or when it is back. */
  #mayAnswer({ asked, askedMs, isOfOneHost }: Question, nowMs: number): boolean {
    if (!isOfOneHost) return false;
    if (!this.#sessions.isLinked(asked)) return this.#sessions.mayReturn(asked);
    return nowMs < Math.max(askedMs, this.#resumedMs) + ANSWER_MS;
  }
}
