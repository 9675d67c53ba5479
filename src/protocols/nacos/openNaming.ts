// Naming: instances and services.

import type { ServiceKey } from "../../model/ids.ts";
import { Pushes } from "./config/pushes.ts";
import type { NacosEnvironment } from "./environment.ts";
import { isFirstSession } from "./firstSession.ts";
import { routesOf } from "./http/forms.ts";
import { instancePaths } from "./http/instancePaths.ts";
import { servicePaths } from "./http/servicePaths.ts";
import { ChangeExpiry } from "./naming/changeExpiry.ts";
import { Datagrams } from "./naming/datagrams.ts";
import { FollowedScopes } from "./naming/followedScopes.ts";
import { FuzzyWatches } from "./naming/fuzzyWatches.ts";
import { Leases } from "./naming/leases.ts";
import { LeaseWords } from "./naming/leaseWords.ts";
import { NamingRecords } from "./naming/namingRecords.ts";
import { PersistentInstances } from "./naming/persistent.ts";
import { PushBodies } from "./naming/pushBodies.ts";
import { Registrations } from "./naming/registrations.ts";
import { namingRequests } from "./naming/requests.ts";
import { ServiceNames } from "./naming/serviceNames.ts";
import { Subscriptions } from "./naming/subscriptions.ts";
import { UdpSubscribers } from "./naming/udpSubscribers.ts";
import type { NacosPart } from "./part.ts";

export interface Naming extends NacosPart {
  readonly bodies: PushBodies;
  readonly registrations: Registrations;
  /** Undefined where lists are not pushed by UDP. */
  readonly udp: UdpSubscribers | undefined;
}

/** The part for naming. */
export function openNaming(environment: NacosEnvironment): Naming {
  const { config, registry, access, later, node } = environment;
  const { nowMs } = node;
  const { zone } = config;
  const records = new NamingRecords(environment);
  const protectThreshold = (serviceKey: ServiceKey) => records.service(serviceKey)?.protectThreshold;
  const bodies = new PushBodies({ protectThreshold, nowMs });
  const registrations = new Registrations({ registry, zone, nowMs, later, records });
  const words = new LeaseWords({ registry, records });
  records.listen((serviceKey, registId) => {
    registrations.changed(serviceKey, registId);
    words.changed(serviceKey, registId);
  });
  const expiry = new ChangeExpiry({ ...environment, records, isSweeper: () => isFirstSession(environment) });
  const subscriptions = new Subscriptions({ registry, zone, nowMs });
  const serviceNames = new ServiceNames(registry, records);
  const pushes = new Pushes(nowMs);
  const fuzzy = new FuzzyWatches(new FollowedScopes({ registry, nowMs, later }), pushes);
  const leases = new Leases({ ...environment, zone, nowMs, records, words });
  const persistent = new PersistentInstances({ ...environment, zone, nowMs });
  const udp = udpSubscribers(environment, bodies);
  return {
    bodies,
    registrations,
    udp,
    requests: namingRequests({ ...environment, registrations, subscriptions, bodies, serviceNames, persistent, fuzzy }),
    routes: routesOf(
      [
        ...instancePaths({ ...environment, leases, persistent, bodies, records, udp, nowMs }),
        ...servicePaths({ serviceNames, records, registry }),
      ],
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
      records.check(atMs);
      words.check(atMs, leases);
      expiry.check(atMs);
      pushes.check(atMs);
      udp?.check(atMs);
    },
  };
}

/** Messages by UDP can be read on the way. */
function udpSubscribers(environment: NacosEnvironment, bodies: PushBodies): UdpSubscribers | undefined {
  const { nacosUdpPush, tlsCertFile, tlsPorts, zone } = environment.config;
  const isEncrypted = tlsCertFile !== "" && tlsPorts.includes("clients");
  if (!nacosUdpPush || isEncrypted) return undefined;
  const { nowMs } = environment.node;
  return new UdpSubscribers({
    ...environment,
    zone,
    nowMs,
    datagrams: new Datagrams({ ...environment, bodies, nowMs }),
  });
}
