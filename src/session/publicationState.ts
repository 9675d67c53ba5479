// How far the data nodes have followed a client with one publication, as far as its session knows: the states, and in
// `next` every transition between them.
//
//                    taken
//    ──► new ──────────────────► taken
//         │                     ▲  │
//         │ lostToTime    taken │  │ lostToTime
//         ▼                     │  ▼
//     restamped ────────────────┴─► outrun
//                 lostToTime
//
//    From any state:
//      published ──────► new
//      lostToRemoval ──► restamped
//      lostToVersion ──► superseded
//      turnedDown ─────► unlisted,  and from there: taken ──► taken,  lostToTime ──► outrun
//      heldElsewhere ──► contested, and from there: taken ──► taken,  lostToTime ──► restamped,  leaderChanged ──► new
//    From new alone:
//      withdrawn ──────► superseded, or taken if a data node may have a former state
//    When its client is gone, and no data node has taken its last word (new, restamped, and contested by its own host):
//      lostToTime ─────► the same state
//      lostToRemoval ──► restamped
//    and from all other states both lead to superseded
//
// All states without data are constants: a session holds a million publications, and nearly all of them are `TAKEN`.

import { unreachable } from "../base/assert.ts";
import type { ClientId } from "../model/ids.ts";
import type { Publication, Stamp } from "../model/publication.ts";

export type PublicationState =
  /**
   * The client's latest state, which no data node has confirmed. A data node has `former` in its place, or may have it.
   */
  | { readonly kind: "new"; readonly former: Publication | undefined }
  /** As new, with a later time than the client's own, because it had lost by time alone or against a removal. */
  | { readonly kind: "restamped" }
  /** A data node has it, or had it. */
  | { readonly kind: "taken" }
  /**
   * The same version with a later time has won: the client has returned at another session. It is still reported, so
   * that it is there should the other connection end.
   */
  | { readonly kind: "outrun" }
  /**
   * A newer version has won, or the client is gone and a later time has won over what a data node had taken. It is no
   * longer reported.
   */
  | { readonly kind: "superseded" }
  /** The list of its service has no room for it, and it waits. The client's earlier state `listed` is listed. */
  | { readonly kind: "unlisted"; readonly listed: Stamp | undefined }
  /** `holder`, a client at another session, holds the registration, and this one waits. */
  | {
      readonly kind: "contested";
      readonly holder: ClientId | undefined;
      /**
       * The number of times that it was refused while a client of its own client's host held the registration, which
       * may not have been asked yet. Above `REFUSALS_MAX` the holder is at another host, or was asked and is there.
       */
      readonly refusals: number;
    };

export type PublicationEvent =
  /** A client of this session has published it anew, in place of `before`. */
  | { readonly kind: "published"; readonly before: Publication }
  /** A data node has taken it. */
  | { readonly kind: "taken" }
  /** A data node found no room for it, and still lists the client's earlier state `listed`. */
  | { readonly kind: "turnedDown"; readonly listed: Stamp | undefined }
  /** A client at another session has the registration: `holder`, at the same host as this client or at another one. */
  | { readonly kind: "heldElsewhere"; readonly holder: ClientId | undefined; readonly isOneHost: boolean }
  /** A data node knows a newer version. */
  | { readonly kind: "lostToVersion" }
  /** A data node knows the same version with a later time. The client is here, or is gone and may return. */
  | { readonly kind: "lostToTime"; readonly isHere: boolean }
  /** A data node has removed this version at a later time, or is about to. */
  | { readonly kind: "lostToRemoval"; readonly isHere: boolean }
  /** Its slot has a new leader, which does not know which sessions the old one was asking. */
  | { readonly kind: "leaderChanged" }
  /** Another client's holding takes its place in front; it will wait behind. */
  | { readonly kind: "setAside" }
  /** Its client was gone already when it published this. A former state of `sinceMs` or later goes with it. */
  | { readonly kind: "withdrawn"; readonly sinceMs: number };

// A claim is refused every two seconds while its holder is asked, and one that never answers has sixteen.
const REFUSALS_MAX = 8;

export const NEW: PublicationState = { kind: "new", former: undefined };
const RESTAMPED: PublicationState = { kind: "restamped" };
const TAKEN: PublicationState = { kind: "taken" };
const OUTRUN: PublicationState = { kind: "outrun" };
const SUPERSEDED: PublicationState = { kind: "superseded" };

/** The state after an event: `state` itself if the event means nothing in it. */
export function next(state: PublicationState, event: PublicationEvent): PublicationState {
  switch (event.kind) {
    case "published":
      if (state.kind === "taken") return { kind: "new", former: event.before };
      if (state.kind !== "new") return NEW;
      // A data node may have taken it already, and its answer is under way or lost.
      return state.former === undefined ? { kind: "new", former: event.before } : state;
    case "taken":
      return isLost(state) ? state : TAKEN;
    case "turnedDown":
      return { kind: "unlisted", listed: event.listed };
    case "heldElsewhere": {
      const before = state.kind === "contested" ? state.refusals : 0;
      return { kind: "contested", holder: event.holder, refusals: event.isOneHost ? before + 1 : REFUSALS_MAX + 1 };
    }
    case "lostToVersion":
      return SUPERSEDED;
    case "lostToTime":
      // The client's last word may have lost by another session's clock, or the client has gone on to that session. It
      // does not come in that one's way, and is still there if that one's client leaves.
      if (!event.isHere) return isUntaken(state) ? state : SUPERSEDED;
      // The client's latest state loses only by another session's clock. That happens once, or two clients with one
      // registId would go on for ever. A claim loses to another claim in the same way, which says nothing about the
      // clients: with a later time the new holder is asked.
      return state.kind === "new" || state.kind === "contested" ? RESTAMPED : OUTRUN;
    case "lostToRemoval":
      // The client was taken for dead, and is here. One that is gone has its grace if no data node has taken its last
      // word, which may look older than the removal only by a clock. Later than what was taken is the client itself,
      // which has gone on.
      return event.isHere || isUntaken(state) ? RESTAMPED : SUPERSEDED;
    case "leaderChanged":
      // The holder's session may report that its client has left before the new leader asks.
      return state.kind === "contested" && mayHoldItself(state) ? NEW : state;
    case "setAside":
      return state.kind === "contested" ? { ...state, refusals: REFUSALS_MAX + 1 } : state;
    case "withdrawn":
      // A data node may have the former state, which waits for the client's return like the rest.
      if (state.kind !== "new") return state;
      return (state.former?.registeredMs ?? event.sinceMs) < event.sinceMs ? TAKEN : SUPERSEDED;
    default:
      return unreachable(event);
  }
}

/** Its client's last word, which no data node has taken. */
function isUntaken(state: PublicationState): boolean {
  return state.kind === "new" || state.kind === "restamped" || (state.kind === "contested" && mayHoldItself(state));
}

/** The holder may be a former connection of the same client, which was not asked yet. */
export function mayHoldItself({ refusals }: PublicationState & { kind: "contested" }): boolean {
  return refusals <= REFUSALS_MAX;
}

/** Whether a newer registration has won, which another session may answer for. */
export function isLost({ kind }: PublicationState): boolean {
  return kind === "outrun" || kind === "superseded";
}

/** The stamp that a data node should have for a publication in this state; undefined if it should have none. */
export function reported(publication: Publication, state: PublicationState): Stamp | undefined {
  switch (state.kind) {
    case "new":
    case "restamped":
    case "taken":
    case "outrun":
      return publication;
    case "unlisted":
      return state.listed;
    case "superseded":
    case "contested":
      return undefined;
    default:
      return unreachable(state);
  }
}
