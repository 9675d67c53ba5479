// The services of persistent registrations, and the targets of their checks.

import type { ServiceKey } from "../model/ids.ts";
import { makeServiceKey } from "../model/serviceKey.ts";
import { KEEPER_TIMES, type KeeperTimes } from "../persistent/keeperPorts.ts";
import type { Plan } from "./plan.ts";

const PREFIX = "kept";

/** As configured in the server, but shorter: a world lasts for a minute or two. */
export const SIM_KEEPER_TIMES: KeeperTimes = {
  ...KEEPER_TIMES,
  leaseMs: 300_000,
  renewMs: 2_000,
  endAgainMs: 3_000,
  takenBackMs: 120_000,
  unconfirmedMs: 60_000,
  absentMs: 60_000,
};

/** The interval of checks. */
export const KEPT_INTERVAL_MS = 2_000;

/** Whether a service has persistent registrations. */
export function isOfKept(service: ServiceKey): boolean {
  return service.startsWith(PREFIX);
}

/** One of these services, by its number. */
export function keptService(number: number): ServiceKey {
  return makeServiceKey({ name: `${PREFIX}${number}`, namespace: "", group: "" });
}

// Each target is up and down for as long as its port says, in turns.
const TURN_MS = 500;

/** Whether a target answers: in turns while there is traffic, and for good after that. */
export function isTargetUp(port: number, { startMs, trafficMs }: Plan, nowMs: number): boolean {
  const atMs = Math.min(nowMs - startMs, trafficMs);
  return Math.floor(atMs / (TURN_MS * port)) % 2 === 0;
}
