// The services whose registrations are kept by heartbeats.

import type { ServiceKey } from "../model/ids.ts";
import { makeServiceKey } from "../model/serviceKey.ts";

const PREFIX = "beats";

/** The longest time after which a silent client's registration goes. */
export const LEASE_MS_MAX = 10_000;

/** Whether the registrations of a service are kept by heartbeats. */
export function isOfLeases(service: ServiceKey): boolean {
  return service.startsWith(PREFIX);
}

/** One of these services, by its number. */
export function leaseService(number: number): ServiceKey {
  return makeServiceKey({ name: `${PREFIX}${number}`, namespace: "", group: "" });
}
