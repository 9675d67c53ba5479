import { clientId, nodeId } from "../../../model/ids.ts";
import { type Instance, packInstance } from "../../../model/instance.ts";
import type { Publication } from "../../../model/publication.ts";
import type { EurekaInstance } from "../codec/instance.ts";
import { leaseOf, registIdOf, serviceKeyOf, toInstance } from "../map.ts";

const OWNER = { session: nodeId("s.1"), client: clientId("10.0.0.1:1_10.0.0.2:2") };

/** The publication of an instance that a client of another protocol has registered. */
export function foreignPublication(instance: Instance, changes: Partial<Publication> = {}): Publication {
  return {
    serviceKey: serviceKeyOf("orders"),
    registId: `${instance.host}:${instance.port}`,
    version: 1n,
    registeredMs: 1_000,
    owner: OWNER,
    zone: "",
    appName: "",
    attributes: new Map(),
    payload: packInstance(instance),
    ...changes,
  };
}

/** The publication that a registration with Eureka becomes. */
export function ownPublication(instance: EurekaInstance, changes: Partial<Publication> = {}): Publication {
  const own = { serviceKey: serviceKeyOf(instance.app), registId: registIdOf(instance.instanceId) };
  return foreignPublication(toInstance(instance), { ...own, lease: leaseOf(instance), ...changes });
}

/** The list of a service that has these publications. */
export function listOf(...publications: readonly Publication[]): Map<string, Publication> {
  return new Map(publications.map((publication) => [publication.registId, publication]));
}
