// The list of a service as Nacos shows it: the instances of all protocols, each address once, and those that a client
// asked for.

import { instancesOf } from "../../../model/content.ts";
import type { ServiceView } from "../../../registry/registry.ts";
import { fromInstance, instanceJson, type NacosInstance, registIdOf } from "./instance.ts";
import { groupedName, serviceNameOf } from "./names.ts";

/** The part of a list that a client wants. */
export interface Selection {
  /** Clusters with commas between them, as the client wrote them; empty for all. */
  readonly clusters: string;
  readonly isHealthyOnly?: boolean;
  /** Instances that are not enabled are left out unless this is set. */
  readonly hasDisabled?: boolean;
}

/** The instances of a list, each address once: of two registrations of one address the later one is shown. */
export function instancesIn({ publications }: Pick<ServiceView, "publications">): NacosInstance[] {
  const shown = new Map<string, { readonly instance: NacosInstance; readonly registeredMs: number }>();
  for (const publication of publications.values()) {
    const { registeredMs } = publication;
    for (const each of instancesOf(publication)) {
      const instance = fromInstance(each);
      const key = registIdOf(instance);
      const before = shown.get(key);
      if (before === undefined || before.registeredMs <= registeredMs) shown.set(key, { instance, registeredMs });
    }
  }
  return [...shown.values()].map(({ instance }) => instance);
}

/** The instances that a client is shown, and whether the threshold of the service has them all shown as healthy. */
export function selected(
  instances: readonly NacosInstance[],
  { clusters, isHealthyOnly = false, hasDisabled = false }: Selection,
  protectThreshold: number | undefined,
): { readonly hosts: readonly NacosInstance[]; readonly isProtected: boolean } {
  const wanted = new Set(clusters.split(",").filter((cluster) => cluster !== ""));
  const all = instances.filter(
    ({ cluster, isEnabled }) => (wanted.size === 0 || wanted.has(cluster)) && (hasDisabled || isEnabled),
  );
  const healthy = all.filter(({ isHealthy }) => isHealthy);
  if (protectThreshold !== undefined && all.length > 0 && healthy.length / all.length <= protectThreshold) {
    return { hosts: all.map((instance) => ({ ...instance, isHealthy: true })), isProtected: true };
  }
  return { hosts: isHealthyOnly ? healthy : all, isProtected: false };
}

/** How the name of the service is written: alone beside its group (gRPC), or with the group in front (HTTP). */
export type NameForm = "plain" | "grouped";

/** The instances that a client is shown, as JSON. */
export function hostsJson(
  view: Pick<ServiceView, "serviceKey" | "publications">,
  selection: Selection,
  protectThreshold: number | undefined,
): { readonly hosts: readonly Record<string, unknown>[]; readonly isProtected: boolean } {
  const grouped = groupedName(serviceNameOf(view.serviceKey));
  const { hosts, isProtected } = selected(instancesIn(view), selection, protectThreshold);
  return { hosts: hosts.map((instance) => instanceJson(instance, grouped)), isProtected };
}

/** The list as JSON, in the field order of the real server. */
export function serviceInfoJson(
  view: Pick<ServiceView, "serviceKey" | "publications">,
  selection: Selection & { readonly nameForm: NameForm },
  { protectThreshold, refMs }: { readonly protectThreshold: number | undefined; readonly refMs: number },
): Record<string, unknown> {
  const service = serviceNameOf(view.serviceKey);
  const { hosts, isProtected } = hostsJson(view, selection, protectThreshold);
  return {
    name: selection.nameForm === "plain" ? service.name : groupedName(service),
    groupName: service.group,
    clusters: selection.clusters,
    cacheMillis: CACHE_MS,
    hosts,
    lastRefTime: refMs,
    checksum: "",
    allIps: false,
    reachProtectionThreshold: isProtected,
    valid: true,
  };
}

// The interval at which clients without a connection ask again.
const CACHE_MS = 10_000;
