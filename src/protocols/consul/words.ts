// Services, nodes and checks in Consul's words, as its clients see them: of Consul's own registrations and of those of
// all other protocols.

import type { CheckState, CheckStatus } from "../../model/check.ts";
import type { Instance } from "../../model/instance.ts";
import type { CheckWords, ServiceDefinition } from "./definition.ts";

export interface ShownCheck {
  readonly id: string;
  readonly name: string;
  readonly status: CheckStatus;
  readonly notes: string;
  readonly output: string;
  readonly words: CheckWords;
  readonly serviceId: string;
  readonly serviceName: string;
  readonly serviceTags: readonly string[];
}

export interface ShownNode {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly taggedAddresses: unknown;
  readonly meta: unknown;
  readonly checks: readonly ShownCheck[];
}

export interface ShownService {
  readonly definition: ServiceDefinition;
  readonly checks: readonly ShownCheck[];
  /** The version of its list, as Create- and ModifyIndex. */
  readonly index: number;
}

/** The checks of a registration; those of a node have no service. */
export function shownChecks(
  states: readonly CheckState[],
  service?: Pick<ServiceDefinition, "id" | "name" | "tags">,
): ShownCheck[] {
  return states.map(({ check, status, output }) => ({
    ...{ id: check.id, name: check.name, status, notes: check.notes, output },
    words: wordsOf(check.bag),
    ...{ serviceId: service?.id ?? "", serviceName: service?.name ?? "", serviceTags: service?.tags ?? [] },
  }));
}

function wordsOf(bag: string): CheckWords {
  try {
    const { type = "", interval = "", timeout = "", definition } = JSON.parse(bag);
    return { type: String(type), interval: String(interval), timeout: String(timeout), definition };
  } catch {
    return { type: "", interval: "", timeout: "" };
  }
}

/** An instance of another protocol: its node is its host, and it has one check that says what its protocol says. */
export function foreignService(name: string, instance: Instance, index: number): ShownService {
  const { host, port, weight, zone, metadata, source, isEnabled, isHealthy } = instance;
  const id = `${host}:${name}:${port}`;
  const meta = zone === "" || metadata.has("zone") ? metadata : new Map([...metadata, ["zone", zone]]);
  const definition: ServiceDefinition = {
    ...{ node: host, nodeAddress: host, id, name, tags: [], port, address: host, socketPath: "", meta },
    weights: { passing: Math.round(weight), warning: 1 },
    ...{ enableTagOverride: false, kind: "", taggedAddresses: null, proxy: null, connect: null, locality: null },
    isAgent: false,
  };
  const output = isEnabled
    ? `${source} says that it is ${isHealthy ? "well" : "not well"}`
    : `${source} has taken it out`;
  const check: ShownCheck = {
    id: `service:${id}`,
    name: `Service '${name}' check`,
    status: isEnabled && isHealthy ? "passing" : "critical",
    ...{ notes: "", output, words: { type: source, interval: "", timeout: "" } },
    ...{ serviceId: id, serviceName: name, serviceTags: [] },
  };
  return { definition, checks: [check], index };
}

/** The worst of the statuses; passing for none. A check for maintenance has a word of its own. */
export function aggregated(checks: readonly ShownCheck[]): CheckStatus | "maintenance" {
  if (checks.some(({ id }) => id.startsWith("_service_maintenance:") || id === "_node_maintenance"))
    return "maintenance";
  if (checks.some(({ status }) => status === "critical")) return "critical";
  return checks.some(({ status }) => status === "warning") ? "warning" : "passing";
}

// Rows, with the fields in the order in which Consul 1.22 writes them.

const NO_PROXY = { Mode: "", MeshGateway: {}, Expose: {} };

export function nodeRow({ id, name, address, taggedAddresses, meta }: ShownNode, datacenter: string, index: number) {
  const place = { ID: id, Node: name, Address: address, Datacenter: datacenter };
  return { ...place, TaggedAddresses: taggedAddresses, Meta: meta, CreateIndex: index, ModifyIndex: index };
}

export function catalogServiceRow({ definition, index }: ShownService, node: ShownNode, datacenter: string) {
  const service = definition;
  return {
    ID: node.id,
    Node: node.name,
    Address: node.address,
    Datacenter: datacenter,
    TaggedAddresses: node.taggedAddresses,
    NodeMeta: node.meta,
    ServiceKind: service.kind,
    ServiceID: service.id,
    ServiceName: service.name,
    ServiceTags: service.tags,
    ServiceAddress: service.address,
    ...(service.taggedAddresses !== null && { ServiceTaggedAddresses: service.taggedAddresses }),
    ServiceWeights: weightsRow(service),
    ServiceMeta: metaRow(service),
    ServicePort: service.port,
    ServicePorts: null,
    ServiceSocketPath: service.socketPath,
    ServiceEnableTagOverride: service.enableTagOverride,
    ServiceProxy: service.proxy ?? NO_PROXY,
    ServiceConnect: service.connect ?? {},
    ServiceLocality: service.locality,
    CreateIndex: index,
    ModifyIndex: index,
  };
}

/** The service within a row of its health, or of its node. */
export function serviceRow({ definition, index }: ShownService) {
  const service = definition;
  return {
    ...(service.kind !== "" && { Kind: service.kind }),
    ID: service.id,
    Service: service.name,
    Tags: service.tags,
    Address: service.address,
    ...(service.taggedAddresses !== null && { TaggedAddresses: service.taggedAddresses }),
    Meta: metaRow(service),
    Port: service.port,
    ...(service.socketPath !== "" && { SocketPath: service.socketPath }),
    Weights: weightsRow(service),
    EnableTagOverride: service.enableTagOverride,
    Proxy: service.proxy ?? NO_PROXY,
    Connect: service.connect ?? {},
    ...(service.locality !== null && { Locality: service.locality }),
    PeerName: "",
    CreateIndex: index,
    ModifyIndex: index,
  };
}

/** The service as its agent shows it. */
export function agentServiceRow({ definition: service }: Pick<ShownService, "definition">, datacenter: string) {
  return {
    ...(service.kind !== "" && { Kind: service.kind }),
    ID: service.id,
    Service: service.name,
    Tags: service.tags,
    Meta: metaRow(service) ?? {},
    Port: service.port,
    Address: service.address,
    ...(service.taggedAddresses !== null && { TaggedAddresses: service.taggedAddresses }),
    ...(service.socketPath !== "" && { SocketPath: service.socketPath }),
    Weights: weightsRow(service),
    EnableTagOverride: service.enableTagOverride,
    ...(service.proxy !== null && { Proxy: service.proxy }),
    ...(service.connect !== null && { Connect: service.connect }),
    ...(service.locality !== null && { Locality: service.locality }),
    Datacenter: datacenter,
  };
}

export function checkRow(check: ShownCheck, node: string, index: number) {
  const { words } = check;
  return {
    Node: node,
    CheckID: check.id,
    Name: check.name,
    Status: check.status,
    Notes: check.notes,
    Output: check.output,
    ServiceID: check.serviceId,
    ServiceName: check.serviceName,
    ServiceTags: check.serviceTags,
    Type: words.type,
    Interval: words.interval,
    Timeout: words.timeout,
    ExposedPort: 0,
    Definition: words.definition ?? {},
    CreateIndex: index,
    ModifyIndex: index,
  };
}

function weightsRow({ weights }: ServiceDefinition) {
  return { Passing: weights.passing, Warning: weights.warning };
}

function metaRow({ meta }: ServiceDefinition): Record<string, string> | null {
  return meta.size === 0 ? null : Object.fromEntries(meta);
}
