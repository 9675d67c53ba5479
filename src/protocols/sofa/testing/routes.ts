// The routes of SOFARegistry's paths at each role, made without a node: for what is only about methods and paths.

import type { HttpRoute } from "../../../base/http.ts";
import type { DataNodeView, MetaNodeView, OtherNodes } from "../../kit/gateway.ts";
import { clusterOf } from "../../kit/testing/views.ts";
import { dataRoutes, metaRoutes, type SessionRoutesNode, sessionRoutes } from "../gatewayCode.ts";

// The views are only kept by the routes; none of their functions is called before a request.
const VIEW = { cluster: clusterOf() } as unknown;

/** The routes at the HTTP port of this role. */
export function sofaRoutesOf(role: "session" | "data" | "meta"): readonly HttpRoute[] {
  if (role === "data")
    return dataRoutes(VIEW as DataNodeView, VIEW as OtherNodes, { sofaTestApi: true, sofaChanges: "local" });
  if (role === "meta") return metaRoutes(VIEW as MetaNodeView, VIEW as OtherNodes);
  const environment = { node: VIEW } as SessionRoutesNode;
  return sessionRoutes(environment, { endAt: () => 0 });
}
