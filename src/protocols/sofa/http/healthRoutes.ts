// SOFARegistry's health check, which each of its three servers has, in its words.

import { type HttpRoute, jsonResponse } from "../../../base/http.ts";

/** What the check asks of any role. */
interface RoleHealth {
  readonly isStopping: () => boolean;
  /** Why the role does not do its work; nothing if it does. */
  readonly notReady: () => string | undefined;
}

/** A role that an operator may have shut out. */
interface MemberHealth extends RoleHealth {
  readonly hasSlotTable: () => boolean;
  /** Why the node is shut out; nothing if it is not. */
  readonly blocked: () => string | undefined;
}

export interface DataHealth extends MemberHealth {
  readonly slotsLed: () => number;
  readonly isServing: () => boolean;
}

export interface MetaHealth extends RoleHealth {
  readonly isLeading: () => boolean;
  readonly hasSlotTable: () => boolean;
  readonly isStoreReachable: () => boolean;
  /** Where the leading meta node takes HTTP calls; undefined if none is known to lead. */
  readonly leaderAddress: () => string | undefined;
}

export function sessionHealthRoute(role: MemberHealth): HttpRoute {
  return healthRoute(role, () => [
    `SessionServerBoot , ConnectMetaServer:${role.hasSlotTable()}`,
    "SessionServerStart:true",
    role.blocked() ?? [],
  ]);
}

export function dataHealthRoute(role: DataHealth): HttpRoute {
  return healthRoute(role, () => [
    `DataServerBoot slotTable:${role.hasSlotTable()}`,
    `slotsLed:${role.slotsLed()}`,
    `serving:${role.isServing()}`,
    role.blocked() ?? [],
  ]);
}

export function metaHealthRoute(role: MetaHealth): HttpRoute {
  return healthRoute(role, () => [
    "MetaServerBoot httpServerStart:true",
    `role:${role.isLeading() ? "leader" : "follower"}`,
    `warmuped:${role.hasSlotTable()}`,
    `storeReachable:${role.isStoreReachable()}`,
    `leader:${role.leaderAddress() ?? "unknown"}`,
  ]);
}

/** 200 or 500, and 503 while the process stops. */
function healthRoute(
  { isStopping, notReady }: RoleHealth,
  words: () => readonly (string | readonly string[])[],
): HttpRoute {
  return {
    method: "GET",
    path: "/health/check",
    handle: ({ respond }) => {
      const isReady = notReady() === undefined;
      const message = [words(), isStopping() ? "stopping" : []].flat(2).join(", ");
      const status = isReady ? 200 : 500;
      respond(jsonResponse({ success: isReady && !isStopping(), message }, isStopping() ? 503 : status));
    },
  };
}
