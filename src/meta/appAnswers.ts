// The answers of the leading meta node to sessions about applications, in parts that fit messages.

import { APP_CONTENT_BYTES_MAX, APP_NAMES_MAX, APPS_LISTED_MAX, type AppAnswer } from "../cluster/messages/apps.ts";
import type { AppRevision } from "../model/appRevision.ts";
import type { AppIndex } from "./appIndex.ts";

/** The contents of revisions. */
export function* foundMessages(found: readonly AppRevision[]): Generator<AppAnswer> {
  let part: AppRevision[] = [];
  let bytes = 0;
  for (const revision of found) {
    part.push(revision);
    bytes += revision.content.length;
    if (bytes < APP_CONTENT_BYTES_MAX) continue;
    yield { kind: "revisions", found: part, unknown: [] };
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield { kind: "revisions", found: part, unknown: [] };
}

/** The applications that offer services. */
export function* appsMessages(index: AppIndex, services: readonly string[]): Generator<AppAnswer> {
  for (let at = 0; at < services.length; at += APP_NAMES_MAX) {
    const entries = services.slice(at, at + APP_NAMES_MAX).map((service) => index.appsOf(service));
    yield { kind: "serviceApps", entries };
  }
}

/** All names, for an operator. */
export function* listMessages(index: AppIndex, question: number): Generator<AppAnswer> {
  const revisions = some(index.heads.keys());
  const services = some(index.services());
  const isCut = Math.max(revisions.length, services.length) > APPS_LISTED_MAX;
  const count = Math.min(Math.max(revisions.length, services.length), APPS_LISTED_MAX);
  for (let at = 0; at === 0 || at < count; at += APP_NAMES_MAX) {
    const end = Math.min(at + APP_NAMES_MAX, APPS_LISTED_MAX);
    yield {
      kind: "appsListed",
      question,
      revisions: revisions.slice(at, end),
      services: services.slice(at, end).map((service) => index.appsOf(service)),
      isLast: end >= count,
      isCut,
    };
  }
}

/** As many as are listed, and one more if there are more. */
function some(names: Iterable<string>): string[] {
  const found: string[] = [];
  for (const name of names) {
    found.push(name);
    if (found.length > APPS_LISTED_MAX) break;
  }
  return found;
}
