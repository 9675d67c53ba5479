// Routes for services that a data node holds because too many publishers would go at once.

import { fail } from "../base/errors.ts";
import { type HttpRoute, jsonResponse, queryValue } from "../base/http.ts";
import { readDataInfoId } from "../model/dataInfoId.ts";
import type { DataInfoId } from "../model/ids.ts";

/** A held service, with the beginning and the end of the hold. */
interface HeldService {
  readonly dataInfoId: DataInfoId;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** The number of publishers that would go. */
  readonly lost: number;
  readonly publishers: number;
}

/** The view of the role data that the routes need. */
export interface HeldStatus {
  readonly heldLosses: () => readonly HeldService[];
  readonly releaseHeld: (dataInfoId: DataInfoId) => void;
  readonly nowMs: () => number;
}

export function heldRoutes({ heldLosses, releaseHeld, nowMs }: HeldStatus): readonly HttpRoute[] {
  return [
    {
      method: "GET",
      path: "/held",
      handle: ({ respond }) => {
        const now = nowMs();
        respond(jsonResponse({ success: true, data: heldLosses().map((held) => shown(held, now)) }));
      },
    },
    {
      method: "POST",
      path: "/held/release",
      handle: (exchange) => {
        const dataInfoId = readDataInfoId(queryValue(exchange, "dataInfoId"));
        if (!heldLosses().some((held) => held.dataInfoId === dataInfoId)) {
          const expected = "a service that this node holds back; GET /held names them";
          throw fail("FIELD_INVALID", { dataInfoId, expected });
        }
        releaseHeld(dataInfoId);
        exchange.respond(jsonResponse({ success: true, message: null }));
      },
    },
  ];
}

function shown({ dataInfoId, sinceMs, untilMs, lost, publishers }: HeldService, nowMs: number): object {
  return {
    dataInfoId,
    reason: `${lost} of ${publishers} publishers would go at once with their session nodes`,
    heldMs: nowMs - sinceMs,
    releasedInMs: Math.max(0, untilMs - nowMs),
    lost,
    publishers,
  };
}
