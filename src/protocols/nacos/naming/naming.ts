// Naming: instances and services.

import type { NacosEnvironment } from "../environment.ts";
import type { NacosPart } from "../part.ts";
import { PushBodies } from "./pushBodies.ts";
import { Registrations } from "./registrations.ts";
import { namingRequests } from "./requests.ts";
import { ServiceNames } from "./serviceNames.ts";
import { Subscriptions } from "./subscriptions.ts";

export interface Naming extends NacosPart {
  readonly bodies: PushBodies;
}

/** The part for naming. */
export function openNaming(environment: NacosEnvironment): Naming {
  const { config, registry, later, node } = environment;
  const { nowMs } = node;
  const { zone } = config;
  const bodies = new PushBodies({ protectThreshold: () => undefined, nowMs });
  const registrations = new Registrations({ registry, zone, nowMs, later });
  const subscriptions = new Subscriptions({ registry, zone, nowMs });
  const serviceNames = new ServiceNames(registry);
  return {
    bodies,
    requests: namingRequests({ ...environment, registrations, subscriptions, bodies, serviceNames }),
    routes: [],
    ended: (client) => registrations.ended(client),
    check: (atMs) => bodies.check(atMs),
  };
}
