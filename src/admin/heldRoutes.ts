// Services that a data node holds back because too many publishers would go at once.

import { fail } from "../base/errors.ts";
import { type HttpRoute, jsonResponse, queryValue } from "../base/http.ts";
import { readDataInfoId } from "../model/dataInfoId.ts";
import type { DataInfoId } from "../model/ids.ts";

/** A service that is held back, and since when and until when. */
interface HeldService {
  readonly dataInfoId: DataInfoId;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Publishers that would go, of so many. */
  readonly lost: number;
  readonly publishers: number;
}

/** What the routes ask of the role data. */
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
