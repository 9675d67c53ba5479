// Registrations of a slot that a client wants at another session than that of the client which holds them. If the two
// have different addresses, the holder keeps them as long as its session is there or may come back, and nothing of the
// other client's requests is applied. The other session repeats its request every two seconds, so only the askers are
// kept here. When the holder goes, that session gets the registration at once, and subscribers see no gap. Versions
// decide nothing between two addresses: each counts its own, and the leader may have heard a stranger before the owner.
//
// A request from the holder's own address comes most often from the holder itself, which has moved on. So the holder's
// session is asked: it yields at once the registrations of a client that is gone or does not answer, and sends nothing
// for one that does. While it can't be asked, and before the slot is served, the newest change counts.

import type { PublishItem, Superseded } from "../cluster/messages/sessionData.ts";
import type { ClientId, NodeId, ServiceKey } from "../model/ids.ts";
import { haveDifferentHosts, haveOneHost } from "../model/ids.ts";
import { compareStamps, type Registration, type Stamp } from "../model/publication.ts";

// One for each client that came back from another address before its old connection was ended. Beyond this many in a
// slot the oldest are forgotten: when the holder goes, their next request finds the registration free. From the
// holder's own address no further ones are asked for: many come back at once, and their registrations must not be
// missing so long.
const CHALLENGES_MAX = 1_000;
// A session that has not repeated its request five times no longer wants the registration.
const FORGOTTEN_MS = 10_000;
// A removal is requested once, and a holder that never answered a question before has sixteen seconds.
const REMOVAL_FORGOTTEN_MS = 20_000;

type RemoveItem = Extract<PublishItem, { kind: "remove" }>;

interface Key {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
}

/** A request for a registration that another client holds. */
export interface Challenge extends Key {
  readonly session: NodeId;
  readonly by: ClientId;
  readonly saidMs: number;
  /** The number of times that it was refused because another client has it. */
  readonly refusals: number;
  /** It comes from the holder's address. */
  readonly isOfOneHost: boolean;
  /** The removal that was requested; undefined if the client wants the registration. */
  readonly removal: RemoveItem | undefined;
  /**
   * The holding at the time when the holder had gone: the next request of that client's host from that session replaces
   * this stamp, and nothing later.
   */
  granted: Stamp | undefined;
  /** The same, for a holder whose session has reported that its client does not answer. */
  yielded: Stamp | undefined;
}

/** A refused request, for operators. */
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

/** The answer to a session whose item is not applied. */
export interface Refusal {
  readonly superseded: Superseded;
  /** Operators are told: it was not refused before, or the holder at its own address was asked and is there. */
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
   * Judges an item of `from` for a registration that another session's client holds. `newest`: stamps decide.
   * `claimant`: the holder has gone, and this client gets it, whatever its version.
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
    // A removal of an older version never meant the present holding.
    if (item.kind === "remove" && !isNewer) return "newest";
    const known = this.#challenges.get(key);
    const isOfLive = (stamp: Stamp | undefined) => stamp !== undefined && compareStamps(stamp, live) === 0;
    // A yield from long ago tells nothing about the holder any more, which may only have been slow to answer.
    const isYielded = isOfLive(known?.yielded) && nowMs - (known?.saidMs ?? 0) <= FORGOTTEN_MS;
    const isGranted = isYielded || isOfLive(known?.granted);
    // The session that was told may have lost the client meanwhile, which comes back to yet another one.
    const isMovedOn = isYielded && isOfOneHost;
    // Other clients of the session that was told do not get what it was told of.
    const isAsker = known?.session === from && !haveDifferentHosts(claim.by, known.by);
    if (!isThere || isMovedOn || (isGranted && isAsker)) {
      this.#challenges.delete(key);
      return "claimant";
    }
    const { serviceKey, registId, version, registeredMs } = live;
    const refusals = known?.session === from ? known.refusals : 0;
    // Its session does not repeat a removal, so it is kept until the holder's session has answered.
    const removal = item.kind === "remove" ? item : undefined;
    if ((removal === undefined || isAsked) && !isGranted) {
      const asker = { session: from, by: claim.by, saidMs: nowMs, isOfOneHost, refusals: refusals + 1 };
      this.#note(key, { serviceKey, registId, ...asker, removal, granted: undefined, yielded: undefined });
    }
    return {
      superseded: {
        serviceKey,
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

  /** `session` no longer wants it. */
  withdraw(key: Key, session: NodeId): void {
    const text = textOf(key);
    if (this.#challenges.get(text)?.session === session) this.#challenges.delete(text);
  }

  /** The holder is gone: returns the request that may be met, on the first call only. */
  markGranted(live: Registration, nowMs: number): Challenge | undefined {
    const challenge = this.#challenges.get(textOf(live));
    if (challenge === undefined || challenge.granted !== undefined || challenge.removal !== undefined) return undefined;
    if (nowMs - challenge.saidMs > FORGOTTEN_MS) return undefined;
    challenge.granted = { version: live.version, registeredMs: live.registeredMs };
    return challenge;
  }

  /** The holder's session yields it: returns the request that is to be met. */
  markYielded(live: Registration, nowMs: number): Challenge | undefined {
    const challenge = this.#challenges.get(textOf(live));
    if (challenge?.isOfOneHost !== true) return undefined;
    if (challenge.removal !== undefined && isForgotten(challenge, nowMs)) return undefined;
    challenge.yielded = { version: live.version, registeredMs: live.registeredMs };
    return challenge;
  }

  /** Requests from the addresses of their holders, which are met if a holder's session can't be asked any more. */
  *ofHolders(nowMs: number): Generator<Challenge> {
    for (const challenge of this.#challenges.values()) {
      const { isOfOneHost, removal, saidMs } = challenge;
      // A holder may have answered a removal of long ago, which its session does not report.
      if (isOfOneHost && (removal === undefined || nowMs - saidMs <= FORGOTTEN_MS)) yield challenge;
    }
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
    for (const [oldestKey, oldest] of this.#challenges) {
      if (this.#challenges.size <= CHALLENGES_MAX && !isForgotten(oldest, challenge.saidMs)) return;
      this.#challenges.delete(oldestKey);
    }
  }
}

/**
 * The stamp and the client of a client's request; undefined for an item that a session sends by itself, or without
 * naming the client.
 */
function claimOf(item: PublishItem) {
  if (item.kind === "put") return { by: item.publication.owner.client, stamp: item.publication };
  const { cause, client, stamp } = item.removal;
  return cause === "left" || client === undefined ? undefined : { by: client, stamp };
}

function isForgotten({ removal, saidMs }: Challenge, nowMs: number): boolean {
  return nowMs - saidMs > (removal === undefined ? FORGOTTEN_MS : REMOVAL_FORGOTTEN_MS);
}

function textOf({ serviceKey, registId }: Key): string {
  return `${registId}\n${serviceKey}`;
}
