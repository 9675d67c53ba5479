// Registrations of a slot that a client wants at another session than that of the client which holds them. From another
// address the first one keeps them as long as its session is there or may come back: nothing of what the other one says
// is applied. The other session says it again every two seconds, so nothing is kept here but who asked. When the holder
// goes, that session has the registration at once, and subscribers see no gap. Versions decide nothing between two
// addresses: each counts its own, and the leader may have heard a stranger before the owner.
//
// From the same address it is most often the holder itself, which has moved on. So the holder's session is asked: it
// yields at once what a client has that is gone or does not answer, and says nothing for one that does. While it can't
// be asked, and before the slot is served, the newest word counts.

import type { PublishItem, Superseded } from "../cluster/messages/sessionData.ts";
import type { ClientId, DataInfoId, NodeId } from "../model/ids.ts";
import { haveDifferentHosts, haveOneHost } from "../model/ids.ts";
import { compareStamps, type Stamp } from "../model/publication.ts";
import type { Registration } from "./packed/publicationStore.ts";

// One for each client that came back from another address before its old connection was ended. Beyond so many in a slot
// the oldest are forgotten: when the holder goes they find the registration free with their next word. From the
// holder's own address no more are asked for: many come back at once, and what they have must not be missing so long.
const CHALLENGES_MAX = 1_000;
// A session that has not repeated it five times does not want it any more.
const FORGOTTEN_MS = 10_000;

interface Key {
  readonly dataInfoId: DataInfoId;
  readonly registId: string;
}

/** Who asked for a registration that another client holds. */
export interface Challenge extends Key {
  readonly session: NodeId;
  readonly saidMs: number;
  /** How often it was told that another client has it. */
  readonly refusals: number;
  /** It comes from the holder's address. */
  readonly isOfOneHost: boolean;
  /** What was held when the holder had gone: this the next word of that session replaces, and nothing later. */
  granted: Stamp | undefined;
  /** The same, where the holder's session has said that its client does not answer for it. */
  yielded: Stamp | undefined;
}

/** For operators: what was refused. */
export interface Contested extends Key {
  readonly holder: ClientId;
  readonly by: ClientId;
}

interface Holder {
  readonly live: Registration;
  /** Its session is there, or may come back. */
  readonly isThere: boolean;
  /** Its session can be asked. */
  readonly mayBeAsked: boolean;
}

/** What a session is told of an item that is not applied. */
export interface Refusal {
  readonly superseded: Superseded;
  /** Operators are told: it was not refused before, or its own address' holder has been asked and is there. */
  readonly isNews: boolean;
  /** The holder's session is to be asked. */
  readonly isAsked: boolean;
}

export class Challenges {
  readonly #challenges = new Map<string, Challenge>();

  get isEmpty(): boolean {
    return this.#challenges.size === 0;
  }

  get #isFull(): boolean {
    return this.#challenges.size >= CHALLENGES_MAX;
  }

  /**
   * Judges an item of `from`, where another session's client holds the registration. `newest`: stamps decide.
   * `claimant`: the holder has gone, and this client has it, whatever its version.
   */
  judge(
    item: PublishItem,
    from: NodeId,
    { live, isThere, mayBeAsked }: Holder,
    nowMs: number,
  ): Refusal | "newest" | "claimant" {
    const claim = claimOf(item);
    if (claim === undefined) return "newest";
    const holder = live.owner.client;
    const key = textOf(live);
    const isNewer = compareStamps(claim.stamp, live) > 0;
    const isOfOneHost = haveOneHost(claim.by, holder);
    const isAsked = isOfOneHost && isNewer && mayBeAsked && (this.#challenges.has(key) || !this.#isFull);
    if (!haveDifferentHosts(claim.by, holder) && !isAsked) {
      if (isNewer) this.#challenges.delete(key);
      return "newest";
    }
    // What is taken back under an older version was never what is held.
    if (item.kind === "remove" && !isNewer) return "newest";
    const known = this.#challenges.get(key);
    const isOfLive = (stamp: Stamp | undefined) => stamp !== undefined && compareStamps(stamp, live) === 0;
    // Long ago it says nothing of the holder any more, who may only have been slow to answer.
    const isYielded = isOfLive(known?.yielded) && nowMs - (known?.saidMs ?? 0) <= FORGOTTEN_MS;
    const isGranted = isYielded || isOfLive(known?.granted);
    // The session that was told may have lost the client meanwhile, which comes back to yet another one.
    const isMovedOn = isYielded && isOfOneHost;
    if (!isThere || isMovedOn || (isGranted && known?.session === from)) {
      this.#challenges.delete(key);
      return "claimant";
    }
    const { dataInfoId, registId, version, registeredMs } = live;
    const refusals = known?.session === from ? known.refusals : 0;
    if (item.kind === "put" && !isGranted) {
      const challenge = { dataInfoId, registId, session: from, saidMs: nowMs, isOfOneHost, refusals: refusals + 1 };
      this.#note(key, { ...challenge, granted: undefined, yielded: undefined });
    }
    return {
      superseded: {
        dataInfoId,
        registId,
        stamp: { version: claim.stamp.version, registeredMs: claim.stamp.registeredMs },
        by: { version, registeredMs },
        isRemoved: false,
        holder,
      },
      isNews: isOfOneHost ? refusals === 1 : item.kind === "remove" || refusals === 0,
      isAsked,
    };
  }

  /** `session` wants it no more. */
  withdraw(key: Key, session: NodeId): void {
    const text = textOf(key);
    if (this.#challenges.get(text)?.session === session) this.#challenges.delete(text);
  }

  /** The holder is gone: returns the session that may have the registration, the first time that this is asked. */
  grant(live: Registration, nowMs: number): NodeId | undefined {
    const challenge = this.#challenges.get(textOf(live));
    if (challenge === undefined || challenge.granted !== undefined) return undefined;
    if (nowMs - challenge.saidMs > FORGOTTEN_MS) return undefined;
    challenge.granted = { version: live.version, registeredMs: live.registeredMs };
    return challenge.session;
  }

  /** The holder's session yields it: returns the session that may have it. */
  yields(live: Registration): NodeId | undefined {
    const challenge = this.#challenges.get(textOf(live));
    if (challenge?.isOfOneHost !== true) return undefined;
    challenge.yielded = { version: live.version, registeredMs: live.registeredMs };
    return challenge.session;
  }

  values(): Iterable<Challenge> {
    return this.#challenges.values();
  }

  clear(): void {
    this.#challenges.clear();
  }

  #note(key: string, challenge: Challenge): void {
    this.#challenges.delete(key);
    this.#challenges.set(key, challenge);
    for (const [oldest, { saidMs }] of this.#challenges) {
      if (this.#challenges.size <= CHALLENGES_MAX && challenge.saidMs - saidMs <= FORGOTTEN_MS) return;
      this.#challenges.delete(oldest);
    }
  }
}

/** What a client says, and which one; undefined for what a session says by itself, or does not say whose word it is. */
function claimOf(item: PublishItem) {
  if (item.kind === "put") return { by: item.publication.owner.client, stamp: item.publication };
  const { cause, client, stamp } = item.removal;
  return cause === "left" || client === undefined ? undefined : { by: client, stamp };
}

function textOf({ dataInfoId, registId }: Key): string {
  return `${registId}\n${dataInfoId}`;
}
