// SOFARegistry's paths for what a Roster cluster does not have, by its design: other data centers, whose data it would
// copy, and a second cluster in the same database, whose settings it would read. They are answered in SOFARegistry's
// form of a refusal, with the reason, so that operators' tools do not take a mistyped path for the cause.

import type { HttpRoute } from "../../../base/http.ts";
import { common } from "./answers.ts";

const ONE_CENTER = "not done: this cluster is one data center, and copies nothing from others";
const ONE_CLUSTER =
  "not done: a store belongs to one cluster, which has all of its values; there is none to recover from";

const CLUSTER_PATHS = [
  "save",
  "sync/enable",
  "sync/disable",
  "push/enable",
  "push/disable",
  "updateMetaAddress",
  "sync/dataInfoIds/add",
  "sync/dataInfoIds/remove",
  "sync/group/add",
  "sync/group/remove",
  "remove",
  "sync/ignoreDataInfoIds/add",
  "sync/ignoreDataInfoIds/remove",
] as const;

/** The paths of a meta node that refuse everything. */
export const ABSENT_ROUTES: readonly HttpRoute[] = [
  ...CLUSTER_PATHS.map((path) => refusing(`/api/multi/cluster/${path}`, ONE_CENTER)),
  refusing("/api/multi/datum/dataInfoId/removePubs", ONE_CENTER),
  refusing("/api/multi/datum/group/removePubs", ONE_CENTER),
  refusing("/api/recover/config/save", ONE_CLUSTER),
  refusing("/api/recover/config/remove", ONE_CLUSTER),
];

function refusing(path: string, reason: string): HttpRoute {
  return { method: "POST", path, handle: ({ respond }) => respond(common(reason, false)) };
}
