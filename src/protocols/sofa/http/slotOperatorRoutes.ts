// Operators pause and resume the arrangement of slots, and ask for it, in SOFARegistry's paths and shapes. The pause is
// a record, and the leading meta node changes it. In SOFARegistry it concerns the asked process, and ends with it.

import { type HttpRoute, respondWith } from "../../../base/http.ts";
import type { MetaNodeView } from "../../kit/gateway.ts";
import { common, generic, longJsonResponse } from "./answers.ts";
import { tableOf } from "./slotTableRoutes.ts";

/** The view of the node that the paths need. */
export type SlotOperatorNode = Pick<MetaNodeView, "cluster" | "slotPause" | "pauseSlots" | "arrangeSlots">;

export function slotOperatorRoutes(node: SlotOperatorNode): readonly HttpRoute[] {
  const { cluster, slotPause, pauseSlots, arrangeSlots } = node;
  const path = (name: string) => `/openapi/v1/slot/table/${name}`;
  return [
    {
      method: "PUT",
      path: path("reconcile/stop"),
      isForLeader: true,
      handle: (exchange) => {
        const pause = { setBy: `an operator at ${exchange.remoteAddress}`, reason: "" };
        respondWith(
          exchange,
          pauseSlots(pause).then(() => common("succeed")),
        );
      },
    },
    {
      method: "PUT",
      path: path("reconcile/start"),
      isForLeader: true,
      handle: (exchange) =>
        respondWith(
          exchange,
          pauseSlots(undefined).then(() => common("succeed")),
        ),
    },
    {
      method: "GET",
      path: path("reconcile/status"),
      asks: "list",
      isForLeader: true,
      handle: ({ respond }) => respond(common(slotPause() === undefined ? "running" : "stopped")),
    },
    {
      method: "PUT",
      path: path("force/refresh"),
      isForLeader: true,
      handle: (exchange) =>
        respondWith(
          exchange,
          arrangeSlots().then(() => longJsonResponse(generic(tableOf(cluster)))),
        ),
    },
  ];
}
