// SOFARegistry's health check of each of its three servers, in its words.

import { type HttpRoute, jsonResponse } from "../../../base/http.ts";
import type { DataNodeView, MemberNode, MetaNodeView, NodeHealth } from "../../kit/gateway.ts";

/** The view of the role meta that the check needs. */
type MetaHealth = NodeHealth & Pick<MetaNodeView, "isLeading" | "isStoreReachable" | "leaderAddress">;

export function sessionHealthRoute(role: MemberNode): HttpRoute {
  return healthRoute(role, () => [
    `SessionServerBoot , ConnectMetaServer:${role.hasSlotTable()}`,
    "SessionServerStart:true",
    role.blocked() ?? [],
  ]);
}

export function dataHealthRoute(role: MemberNode & Pick<DataNodeView, "slotsLed" | "isServing">): HttpRoute {
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
  { isStopping, notReady }: NodeHealth,
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
