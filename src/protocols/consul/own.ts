// The registrations of Consul's clients, as persistent ones: services on nodes, and the nodes themselves,
// which are registrations of a namespace of their own so that their checks are made and kept like those of services.

import type { Check } from "../../model/check.ts";
import { clientId, type ServiceKey } from "../../model/ids.ts";
import type { Instance } from "../../model/instance.ts";
import { makeServiceKey, parseServiceKey } from "../../model/serviceKey.ts";
import type { KeptRegistration, PersistentKey, PersistentRegistration } from "../../registry/persistent.ts";
import { CONSUL } from "../kit/consulBag.ts";
import type { ServiceDefinition } from "./definition.ts";

/** A node that a client has put into the catalogue. */
export interface NodeDefinition {
  readonly name: string;
  readonly address: string;
  readonly id: string;
  readonly taggedAddresses: unknown;
  readonly meta: unknown;
}

const NODES = { namespace: "consul-nodes", group: "" } as const;
const PREFIX = "consul:";

/** The key of a service by its name. Throws FIELD_INVALID for a name that can't be one. */
export function serviceKeyOf(name: string): ServiceKey {
  return makeServiceKey({ name, namespace: "", group: "" });
}

export function serviceRegistration(
  service: ServiceDefinition,
  checks: readonly Check[],
  zone: string,
): PersistentRegistration {
  const { node, nodeAddress, id, name, tags, port, address, meta, weights, isAgent, ...rest } = service;
  const host = address === "" ? nodeAddress : address;
  const bag = { node, nodeAddress, id, address, tags, weights, isAgent, ...rest };
  return {
    serviceKey: serviceKeyOf(name),
    registId: registIdOf(node, id),
    ...common(host, port, zone),
    instance: instanceOf({ host, port, weight: weights.passing, zone: zoneOf(service), metadata: meta, bag }),
    checks,
  };
}

export function nodeRegistration(
  { address, ...node }: NodeDefinition,
  checks: readonly Check[],
  zone: string,
): PersistentRegistration {
  return {
    ...nodeKeyOf(node.name),
    ...common(address, 0, zone),
    instance: instanceOf({ host: address, port: 0, weight: 1, zone: "", metadata: new Map(), bag: node }),
    checks,
  };
}

/** The place of the registration of a node. */
export function nodeKeyOf(name: string): PersistentKey {
  return { serviceKey: makeServiceKey({ name, ...NODES }), registId: `${PREFIX}${name}` };
}

/** The id of a service's registration; no node's name has a slash. */
export function registIdOf(node: string, id: string): string {
  return `${PREFIX}${node}/${id}`;
}

/** Whether a registration is one of Consul's. */
export function isOwn(registId: string): boolean {
  return registId.startsWith(PREFIX);
}

/** The service of a registration; undefined for other ones. */
export function serviceIn({
  registration: { serviceKey, registId, instance },
}: Pick<KeptRegistration, "registration">): ServiceDefinition | undefined {
  return isOwn(registId) && !isNodeKey(serviceKey)
    ? serviceOfInstance(parseServiceKey(serviceKey).name, instance)
    : undefined;
}

/** The node of a registration; undefined for other ones. */
export function nodeIn({
  registration: { serviceKey, registId, instance },
}: Pick<KeptRegistration, "registration">): NodeDefinition | undefined {
  if (!isOwn(registId) || !isNodeKey(serviceKey)) return undefined;
  const bag = readBag(instance);
  const { name } = parseServiceKey(serviceKey);
  return {
    name,
    address: instance.host,
    id: textIn(bag, "id"),
    taggedAddresses: bag["taggedAddresses"] ?? null,
    meta: bag["meta"] ?? null,
  };
}

/** The service as its client registered it; undefined if another protocol's client did. */
export function serviceOfInstance(name: string, instance: Instance): ServiceDefinition | undefined {
  if (!instance.bags.has(CONSUL)) return undefined;
  const bag = readBag(instance);
  const { passing = instance.weight, warning = 1 } = objectIn(bag, "weights");
  return {
    node: textIn(bag, "node"),
    nodeAddress: textIn(bag, "nodeAddress"),
    id: textIn(bag, "id"),
    name,
    tags: listIn(bag, "tags").map(String),
    port: instance.port,
    address: textIn(bag, "address"),
    socketPath: textIn(bag, "socketPath"),
    meta: instance.metadata,
    weights: { passing: Number(passing), warning: Number(warning) },
    enableTagOverride: bag["enableTagOverride"] === true,
    kind: textIn(bag, "kind"),
    taggedAddresses: bag["taggedAddresses"] ?? null,
    proxy: bag["proxy"] ?? null,
    connect: bag["connect"] ?? null,
    locality: bag["locality"] ?? null,
    isAgent: bag["isAgent"] === true,
  };
}

function isNodeKey(serviceKey: ServiceKey): boolean {
  return parseServiceKey(serviceKey).namespace === NODES.namespace;
}

function common(host: string, port: number, zone: string) {
  const bare = host === "" ? "0.0.0.0" : host;
  return { holder: clientId(`${bare.includes(":") ? `[${bare}]` : bare}:${port}_consul`), zone, appName: "" };
}

function instanceOf(
  given: Pick<Instance, "host" | "port" | "weight" | "zone" | "metadata"> & { readonly bag: object },
): Instance {
  const { bag, ...instance } = given;
  return {
    ...instance,
    securePort: undefined,
    ...{ isEnabled: true, isHealthy: true, isPersistent: true },
    source: CONSUL,
    bags: new Map([[CONSUL, JSON.stringify(bag)]]),
  };
}

/** The zone of a service; empty without one. Spring Cloud writes it into the metadata. */
export function zoneOf({ locality, meta }: Pick<ServiceDefinition, "locality" | "meta">): string {
  const zone =
    typeof locality === "object" && locality !== null
      ? Object.entries(locality).find(([name]) => name.toLowerCase() === "zone")?.[1]
      : undefined;
  return typeof zone === "string" ? zone : (meta.get("zone") ?? "");
}

type Bag = Readonly<Record<string, unknown>>;

/** A bag may come from a node of a later release. */
function readBag({ bags }: Instance): Bag {
  try {
    const value: unknown = JSON.parse(bags.get(CONSUL) ?? "");
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function textIn(bag: Bag, name: string): string {
  const value = bag[name];
  return typeof value === "string" ? value : "";
}

function listIn(bag: Bag, name: string): readonly unknown[] {
  const value = bag[name];
  return Array.isArray(value) ? value : [];
}

function objectIn(bag: Bag, name: string): Bag {
  const value = bag[name];
  return typeof value === "object" && value !== null ? { ...value } : {};
}
