// Naming: instances and services.

import { Pushes } from "./config/pushes.ts";
import type { NacosEnvironment } from "./environment.ts";
import { routesOf } from "./http/forms.ts";
import { instancePaths } from "./http/instancePaths.ts";
import { servicePaths } from "./http/servicePaths.ts";
import { FollowedScopes } from "./naming/followedScopes.ts";
import { FuzzyWatches } from "./naming/fuzzyWatches.ts";
import { Leases } from "./naming/leases.ts";
import { PersistentInstances } from "./naming/persistent.ts";
import { PushBodies } from "./naming/pushBodies.ts";
import { Registrations } from "./naming/registrations.ts";
import { namingRequests } from "./naming/requests.ts";
import { ServiceNames } from "./naming/serviceNames.ts";
import { Subscriptions } from "./naming/subscriptions.ts";
import type { NacosPart } from "./part.ts";

export interface Naming extends NacosPart {
  readonly bodies: PushBodies;
}

/** The part for naming. */
export function openNaming(environment: NacosEnvironment): Naming {
  const { config, registry, access, later, node } = environment;
  const { nowMs } = node;
  const { zone } = config;
  const bodies = new PushBodies({ protectThreshold: () => undefined, nowMs });
  const registrations = new Registrations({ registry, zone, nowMs, later });
  const subscriptions = new Subscriptions({ registry, zone, nowMs });
  const serviceNames = new ServiceNames(registry);
  const pushes = new Pushes(nowMs);
  const fuzzy = new FuzzyWatches(new FollowedScopes({ registry, nowMs, later }), pushes);
  const leases = new Leases({ ...environment, zone, nowMs });
  const persistent = new PersistentInstances({ ...environment, zone, nowMs });
  return {
    bodies,
    requests: namingRequests({ ...environment, registrations, subscriptions, bodies, serviceNames, persistent, fuzzy }),
    routes: routesOf(
      [...instancePaths({ ...environment, leases, persistent, bodies }), ...servicePaths(serviceNames)],
      {
        access,
        nowMs,
      },
    ),
    ended: (client) => {
      registrations.ended(client);
      fuzzy.ended(client);
      pushes.ended(client);
    },
    drained: (client) => pushes.drained(client),
    check: (atMs) => {
      bodies.check(atMs);
      pushes.check(atMs);
    },
  };
}
