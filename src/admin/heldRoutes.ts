// Routes for services that a data node holds because too many publishers would go at once.

import { fail } from "../base/errors.ts";
import { type HttpRoute, jsonResponse, queryValue } from "../base/http.ts";
import type { ServiceKey } from "../model/ids.ts";
import { readServiceKey } from "../model/serviceKey.ts";

/** A held service, with the beginning and the end of the hold. */
interface HeldService {
  readonly serviceKey: ServiceKey;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** The number of publishers that would go. */
  readonly lost: number;
  readonly publishers: number;
}

/** The view of the role data that the routes need. */
export interface HeldStatus {
  readonly heldLosses: () => readonly HeldService[];
  readonly releaseHeld: (serviceKey: ServiceKey) => void;
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
        const serviceKey = readServiceKey(queryValue(exchange, "service"), "service");
        if (!heldLosses().some((held) => held.serviceKey === serviceKey)) {
          const expected = "a service that this node holds back; GET /held lists them";
          throw fail("FIELD_INVALID", { field: "service", value: serviceKey, expected });
        }
        releaseHeld(serviceKey);
        exchange.respond(jsonResponse({ success: true, message: null }));
      },
    },
  ];
}

function shown({ serviceKey, sinceMs, untilMs, lost, publishers }: HeldService, nowMs: number): object {
  return {
    service: serviceKey,
    reason: `${lost} of ${publishers} publishers would be lost at once with their session nodes`,
    heldMs: nowMs - sinceMs,
    releasedInMs: Math.max(0, untilMs - nowMs),
    lost,
    publishers,
  };
}
