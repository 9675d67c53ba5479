// The messages about applications between sessions and meta nodes. As with all that members say, every meta node hears
// the questions and only the leading one answers; without a leader a meta node answers from its memory what it can. An
// unanswered question is asked again by its session. A meta node of an earlier release ignores the questions.

import type { AppRevision, ServiceApps } from "../../model/appRevision.ts";

/** From session to meta. */
export type AppQuestion =
  /** A client registers a revision. Answered by `revisionsStored` once the store has it, or by `revisionRefused`. */
  | { readonly kind: "registerRevision"; readonly revision: AppRevision }
  /** Asks for the contents of revisions. Answered by `revisions`, in one message or several. */
  | { readonly kind: "findRevisions"; readonly ids: readonly string[] }
  /** Clients of the sender use these revisions: they are to be kept. Answered by `revisionsStored`. */
  | { readonly kind: "renewRevisions"; readonly ids: readonly string[] }
  /** Asks which applications offer these services. Each is answered by an entry of `serviceApps`; changes follow. */
  | { readonly kind: "watchServiceApps"; readonly services: readonly string[] }
  | { readonly kind: "unwatchServiceApps"; readonly services: readonly string[] }
  /** An operator asks for all names. `question` is the sender's own number. Answered by `appsListed`, in parts. */
  | { readonly kind: "listApps"; readonly question: number };

const QUESTIONS = {
  registerRevision: true,
  findRevisions: true,
  renewRevisions: true,
  watchServiceApps: true,
  unwatchServiceApps: true,
  listApps: true,
} as const satisfies Record<AppQuestion["kind"], true>;

export function isAppQuestion<Other extends { readonly kind: string }>(
  message: AppQuestion | Other,
): message is AppQuestion {
  return message.kind in QUESTIONS;
}

/** From meta to session. */
export type AppAnswer =
  /** `unknown`: the store does not have these. */
  | { readonly kind: "revisions"; readonly found: readonly AppRevision[]; readonly unknown: readonly string[] }
  /** The store has the `stored` ones, and they are renewed; it does not have the `unknown` ones. */
  | { readonly kind: "revisionsStored"; readonly stored: readonly string[]; readonly unknown: readonly string[] }
  /** The revision is not taken; `reason` is for the client. */
  | { readonly kind: "revisionRefused"; readonly id: string; readonly reason: string }
  | { readonly kind: "serviceApps"; readonly entries: readonly ServiceApps[] }
  /** A part of the answer to `listApps`. */
  | {
      readonly kind: "appsListed";
      readonly question: number;
      readonly revisions: readonly string[];
      readonly services: readonly ServiceApps[];
      readonly isLast: boolean;
      /** There are more than APPS_LISTED_MAX. */
      readonly isCut: boolean;
    };

/** The most names in one question: a session asks again for the rest. */
export const APP_NAMES_MAX = 2_000;
/** The most revisions, and the most services, in all parts of a list: some ten megabytes. */
export const APPS_LISTED_MAX = 100_000;
/** A message with contents ends behind the one that takes it beyond this. */
export const APP_CONTENT_BYTES_MAX = 1024 * 1024;
