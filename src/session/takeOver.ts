// Decides whether a client may register or take back what another connection of this session holds. A returning client
// has a new connection, and its old one may still seem to stand; a stranger looks much the same. The wire tells them
// apart: by the process id, where a client sends one, or else by the address. If these are equal, the old connection is
// asked whether its client is there. If that answers, it keeps its holdings, and the other one is told the holder.
// Clients try again twice a second, so one whose old connection is dead is back after some two seconds, and stays
// listed meanwhile. A different client gets nothing as long as the holder is there or may come back.

import { fail, type RegistryError } from "../base/errors.ts";
import type { ClientId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type { Client, HeldPublication } from "./client.ts";
import { isLost } from "./publicationState.ts";

export interface When {
  readonly nowMs: number;
  /** The time at which this process last found that it had stood still: input from before may be unread. */
  readonly resumedMs: number;
}

/** A request of a connection for a registration that it does not hold. */
export interface Claim extends When {
  readonly registId: string;
  readonly version: bigint;
  /** The id of the requesting process, if its client sends one. */
  readonly processId?: string;
}

// A full collection of a small heap takes less; a client whose old connection is dead waits this long.
const ANSWER_MS = 2_000;
// A client that never answered a question sends something by itself every fifteen seconds.
const MUTE_ANSWER_MS = 16_000;
// A holder is not asked more often, however often others request its registrations.
const ASK_AGAIN_MS = 500;
// Clients count from one, or take the time. In milliseconds this is 557 years, in microseconds half a year; from zero
// to the largest allowed version it is 262,144 steps.
const VERSION_STEP_MAX = 1n << 44n;
// A client that was refused because its old connection seemed to stand tries again within this.
const NEXT_TRY_MS = 1_500;

/**
 * Whether `client` may have the registration: undefined if it may, or the error to answer with. Asks the holder where
 * that decides.
 */
export function contest(held: HeldPublication | undefined, client: Client, claim: Claim): RegistryError | undefined {
  if (held === undefined) return undefined;
  const { state } = held;
  if (state.kind === "contested") {
    return held.client === client ? heldElsewhere(held.publication, state.holder) : undefined;
  }
  // Its own count is a client's own matter, and a registration that another session has by now is not this one's to
  // defend.
  if (held.client === client || isLost(state)) return undefined;
  const { version } = held.publication;
  if (claim.version - version > VERSION_STEP_MAX) {
    const expected = `at most ${VERSION_STEP_MAX} above ${version}`;
    return fail("FIELD_INVALID", { field: "version", value: claim.version, expected });
  }
  const isFree = isOneClient(held.client, client, claim) && mayBeReplaced(held.client, claim);
  if (isFree && claim.version >= version) return undefined;
  return fail("REGISTRATION_HELD", { registId: claim.registId, version, holder: held.client.id });
}

/** Its client was answered with success, and then the registration turned out to be held elsewhere. */
function heldElsewhere({ registId, version }: Publication, holder: ClientId | undefined): RegistryError {
  return fail("REGISTRATION_HELD", { registId, version, holder: holder ?? "at another session" });
}

/** The time that a client whose connection was lost at `nowMs` has to return, given the usual grace. */
export function returnMs(client: Client, graceMs: number, nowMs: number): number {
  return nowMs - client.askedMs < NEXT_TRY_MS ? graceMs + NEXT_TRY_MS : graceMs;
}

/** Whether two connections belong to one client, as far as the wire tells. */
export function isOneClient(holder: Client, client: Client, { processId = "" }: { processId?: string }): boolean {
  if (processId !== "" && holder.processId !== "") return processId === holder.processId;
  return holder.channel.address === client.channel.address;
}

/** Whether a holder is gone, or has not answered in time. A holder that was not asked lately is asked. */
export function mayBeReplaced(holder: Client, when: When): boolean {
  const { channel, askedMs } = holder;
  if (isGone(holder, when)) return true;
  if (channel.isSilentSince(askedMs) || when.nowMs - askedMs < ASK_AGAIN_MS) return false;
  holder.askedMs = when.nowMs;
  channel.ask(when.nowMs);
  return false;
}

/** Whether a holder's connection is lost, or nothing has come since it was asked, for as long as an answer takes. */
export function isGone(holder: Client, { nowMs, resumedMs }: When): boolean {
  if (holder.departedMs !== undefined) return true;
  return holder.channel.isSilentSince(holder.askedMs) && nowMs >= answerDueMs(holder, resumedMs);
}

/** The time by which a holder that was asked should have answered. */
export function answerDueMs({ channel, askedMs }: Client, resumedMs: number): number {
  return Math.max(askedMs, resumedMs) + (channel.answersQuestions ? ANSWER_MS : MUTE_ANSWER_MS);
}
