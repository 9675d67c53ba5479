// Rule 5, as a session judges silence: it does not end the connection of a living client that can be heard, or that
// could not be heard for a moment only; and it ends that of a frozen or vanished one in time.

import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import type { KnownClient } from "./registrations.ts";

// A client survives a pause of fifteen seconds; one that does not even read its input has a little less.
const PAUSE_MS = 14_000;
// Silence is checked twice a second, by clocks that may be one percent too slow, and a question takes a while.
const NOTICE_MS = 2_000;
// This long after its first frame a client has been asked for the first time, and has answered.
const ACQUAINTANCE_MS = 3_000;
// An idle client sends its first heartbeat this long after it connected, and more at this interval.
const FIRST_BEAT_MS = 15_000;

export class EndedConnections implements Checker {
  readonly #evidence: Evidence;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    if (fact.kind !== "ended") return undefined;
    const client = this.#evidence.registrations.client(fact.client);
    const { diedMs } = client;
    // A living client with another connection, or none, sends nothing on this one any more.
    if (diedMs === undefined && client.open.get(fact.connection)?.isLeft === true) return undefined;
    if (diedMs === undefined && this.#mayNeverHaveSpoken(client, nowMs)) return undefined;
    const what = diedMs === undefined ? undue(client, nowMs) : this.#late(client, diedMs, nowMs);
    if (what === undefined) return undefined;
    const text = `${fact.session} has ended the connection of ${fact.client} at ${nowMs}, which ${what}`;
    return { rule: "5 a cut is not a death", service: undefined, text };
  }

  /**
   * A connection on which nothing was ever sent is ended at its time, since it may have no client. A client of this
   * kind has only its first beat to send; it may have stood still before it knew of the connection, or since.
   */
  #mayNeverHaveSpoken(client: KnownClient, nowMs: number): boolean {
    const { clientIdleMs } = this.#evidence.plan.config;
    return [...client.open.values()].some(({ connection, acceptedMs, madeMs }) => {
      if (client.spokeMs >= madeMs || hasSubscribed(client)) return false;
      if (client.acknowledgements.some((one) => one.connection === connection)) return false;
      const saidMs = madeMs + FIRST_BEAT_MS;
      const isHushed = client.hushedMs !== undefined && client.hushedMs < saidMs;
      return nowMs >= acceptedMs + clientIdleMs - NOTICE_MS && (isHushed || nowMs < saidMs + NOTICE_MS);
    });
  }

  #late(client: KnownClient, diedMs: number, nowMs: number): string | undefined {
    const { open, hushedMs, unhushedMs, lateMs, arrivedMs } = client;
    const { clientIdleMs, clientMuteIdleMs } = this.#evidence.plan.config;
    const isKnownToAnswer = [...open.values()].every(
      ({ isMute, madeMs, firstMs = madeMs + FIRST_BEAT_MS, session }) =>
        !isMute && hushedMs === undefined && this.#askedMs(session, Math.max(firstMs, unhushedMs)) <= diedMs,
    );
    const idleMs = isKnownToAnswer ? clientIdleMs : clientMuteIdleMs;
    // The time in which a session stands still does not count, nor that in which the client's last messages are under
    // way.
    const fromMs = Math.max(diedMs + lateMs, arrivedMs, this.#evidence.nodes.troubleMs);
    return nowMs > fromMs + idleMs + NOTICE_MS ? `was frozen since ${diedMs}` : undefined;
  }

  /**
   * The time at which a client that can be heard since `fromMs` has been asked and has answered, by a session that did
   * not stand still.
   */
  #askedMs(session: string, fromMs: number): number {
    let askedMs = fromMs + ACQUAINTANCE_MS;
    for (const pause of this.#evidence.nodes.pauses(session)) {
      if (pause.fromMs < askedMs && pause.untilMs > askedMs - ACQUAINTANCE_MS)
        askedMs = pause.untilMs + ACQUAINTANCE_MS;
    }
    return askedMs;
  }
}

/** It has had a subscription since before it could no longer be heard. */
function hasSubscribed({ subscriptions, hushedMs = Number.POSITIVE_INFINITY }: KnownClient): boolean {
  return [...subscriptions.values()].some((atMs) => atMs < hushedMs);
}

function undue({ hushedMs }: KnownClient, nowMs: number): string | undefined {
  if (hushedMs === undefined) return "could be heard";
  return nowMs - hushedMs < PAUSE_MS ? `could be heard until ${hushedMs}` : undefined;
}
