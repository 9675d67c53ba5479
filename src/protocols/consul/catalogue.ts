// The catalogue as Consul's clients see it: the services of the default group, whatever protocol registered them, on
// their nodes, with their checks. Lists are put into Consul's words when they are asked for the first time after a
// change.

import { instancesOf } from "../../model/content.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { Publication } from "../../model/publication.ts";
import { parseServiceKey } from "../../model/serviceKey.ts";
import { versionAt } from "../../model/version.ts";
import type { KeptRegistration, PersistentKey, PersistentRegistrations } from "../../registry/persistent.ts";
import { serviceKeyOf, serviceOfInstance } from "./own.ts";
import { OwnIndex } from "./ownIndex.ts";
import type { Topics } from "./topics.ts";
import { foreignService, type ShownCheck, type ShownNode, type ShownService, shownChecks } from "./words.ts";

/** The topics of what is in the catalogue. */
export const TOPIC = {
  service: (name: string) => `service ${name}`,
  services: "services",
  nodes: "nodes",
  /** Everything of the catalogue. */
  all: "catalogue",
  agent: "agent",
} as const;

/** The service that stands for the registry itself. */
export const CONSUL_SERVICE = "consul";
const SERVER_PORT = 8_300;
/** The id of the check that says whether an agent is there. */
export const SERF_HEALTH = "serfHealth";

/** A node, with what is on it. */
export interface NodeWithServices {
  readonly node: ShownNode;
  readonly services: readonly ShownService[];
}

interface Parts {
  readonly persistent: PersistentRegistrations;
  readonly topics: Topics;
  readonly agentNode: () => Pick<ShownNode, "name" | "id" | "address">;
  readonly version: string;
  readonly nowMs: () => number;
}

interface Held {
  readonly version: bigint;
  readonly publications: readonly Publication[];
  shown: readonly ShownService[] | undefined;
}

export class Catalogue {
  readonly own: OwnIndex;
  readonly #parts: Parts;
  readonly #services = new Map<string, Held>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.own = new OwnIndex(parts.persistent, (key) => this.#changedOwn(key));
  }

  /** Forgets the lists: they are told anew. */
  reset(): void {
    this.#services.clear();
  }

  /** The newest list of a service; undefined: it is gone. */
  set(serviceKey: ServiceKey, publications: ReadonlyMap<string, Publication> | undefined, version: bigint): void {
    const { name } = parseServiceKey(serviceKey);
    const { topics } = this.#parts;
    const before = this.#services.get(name);
    const isEmpty = publications === undefined || publications.size === 0;
    const tags = this.#tagsOf(before);
    if (isEmpty) this.#services.delete(name);
    else this.#services.set(name, { version, publications: [...publications.values()], shown: undefined });
    const isNewName = isEmpty !== (before === undefined);
    if (isNewName || tags !== this.#tagsOf(this.#services.get(name))) topics.bump(TOPIC.services, version);
    topics.bump(TOPIC.service(name), version);
    topics.bump(TOPIC.nodes, version);
    topics.bump(TOPIC.all, version);
  }

  /** The instances of a service; none of an unknown one. */
  service(name: string): readonly ShownService[] {
    if (name === CONSUL_SERVICE && !this.#services.has(name)) return [this.#server()];
    const held = this.#services.get(name);
    if (held === undefined) return [];
    held.shown ??= this.#shown(name, held);
    return held.shown;
  }

  /** The names of all services, in order. */
  names(): string[] {
    return [...new Set([CONSUL_SERVICE, ...this.#services.keys()])].sort();
  }

  /** All instances. */
  *all(): Iterable<ShownService> {
    for (const name of this.names()) yield* this.service(name);
  }

  /** The node of a service, as far as it is known. */
  nodeOf({ definition: { node, nodeAddress } }: ShownService): ShownNode {
    return (
      this.#node(node) ?? { name: node, id: "", address: nodeAddress, taggedAddresses: null, meta: null, checks: [] }
    );
  }

  /** A node by its name, with the services on it; undefined if there is none. */
  node(name: string): NodeWithServices | undefined {
    const services = [...this.all()].filter(({ definition }) => definition.node === name);
    const [first] = services;
    const node = this.#node(name) ?? (first && this.nodeOf(first));
    return node && { node, services };
  }

  /** All nodes, in the order of their names. */
  nodes(): NodeWithServices[] {
    const nodes = new Map<string, { readonly node: ShownNode; readonly services: ShownService[] }>();
    for (const service of this.all()) {
      const { node: name } = service.definition;
      const known = nodes.get(name);
      if (known === undefined) nodes.set(name, { node: this.nodeOf(service), services: [service] });
      else known.services.push(service);
    }
    for (const { node } of this.own.nodes()) {
      const shown = nodes.has(node.name) ? undefined : this.#node(node.name);
      if (shown !== undefined) nodes.set(node.name, { node: shown, services: [] });
    }
    return [...nodes.values()].sort(({ node: one }, { node: other }) => (one.name < other.name ? -1 : 1));
  }

  /** A service of the agent's node by its id, from the records. */
  agentService(id: string): ShownService | undefined {
    const own = this.own.servicesOf(this.#parts.agentNode().name).get(id);
    return own && { definition: own.service, checks: shownChecks(own.kept.checks, own.service), index: 0 };
  }

  agentServices(): ShownService[] {
    const ids = [...this.own.servicesOf(this.#parts.agentNode().name).keys()].sort();
    return ids.flatMap((id) => this.agentService(id) ?? []);
  }

  /** The checks that were registered at the agent for its node. */
  agentNodeChecks(): readonly ShownCheck[] {
    return shownChecks(this.own.node(this.#parts.agentNode().name)?.kept.checks ?? []);
  }

  #node(name: string): ShownNode | undefined {
    const agent = this.#parts.agentNode();
    const own = this.own.node(name);
    const checks = shownChecks(own?.kept.checks ?? []);
    if (name === agent.name) {
      const { address } = agent;
      const taggedAddresses = { lan: address, lan_ipv4: address, wan: address, wan_ipv4: address };
      const meta = { "consul-network-segment": "", "consul-version": this.#parts.version };
      return { ...agent, taggedAddresses, meta, checks: [AGENT_CHECK, ...checks] };
    }
    return own && { ...own.node, checks };
  }

  /** The sessions of the registry, as one server. */
  #server(): ShownService {
    const { name, address } = this.#parts.agentNode();
    const definition = {
      ...{
        node: name,
        nodeAddress: address,
        id: CONSUL_SERVICE,
        name: CONSUL_SERVICE,
        tags: [],
        port: SERVER_PORT,
        address: "",
      },
      ...{ socketPath: "", meta: new Map(), weights: { passing: 1, warning: 1 }, enableTagOverride: false, kind: "" },
      ...{ taggedAddresses: null, proxy: null, connect: null, locality: null, isAgent: false },
    };
    return { definition, checks: [], index: 1 };
  }

  #shown(name: string, { publications, version }: Held): ShownService[] {
    const index = Number(version);
    const shown = publications.flatMap((publication) =>
      instancesOf(publication).map((instance): ShownService => {
        const definition = serviceOfInstance(name, instance);
        if (definition === undefined) return foreignService(name, instance, index);
        const { serviceKey, registId } = publication;
        const kept = this.#parts.persistent.find({ serviceKey, registId });
        // An operator's rule, or a check whose status is still on its way.
        const isDown = !instance.isEnabled || (kept === undefined && !instance.isHealthy);
        const checks = shownChecks(kept?.checks ?? [], definition);
        const weights = { ...definition.weights, passing: instance.weight };
        return {
          definition: { ...definition, weights },
          checks: isDown ? [...checks, takenOut(definition)] : checks,
          index,
        };
      }),
    );
    return shown.sort((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1));
  }

  #tagsOf(held: Held | undefined): string {
    if (held === undefined) return "";
    const own = held.publications.filter(({ registId }) => registId.startsWith("consul:"));
    const tags = own.flatMap((publication) =>
      instancesOf(publication).flatMap((instance) => serviceOfInstance("", instance)?.tags ?? []),
    );
    return [...new Set(tags)].sort().join("\n");
  }

  #changedOwn(key: PersistentKey): void {
    const { topics, nowMs, persistent } = this.#parts;
    const { name } = parseServiceKey(key.serviceKey);
    const index = changedIndex(persistent.find(key)) ?? versionAt(nowMs());
    topics.bump(TOPIC.agent, index);
    if (key.serviceKey !== serviceKeyOf(name)) {
      // A node: its checks count for each of its services.
      for (const held of this.#services.keys()) {
        if (this.service(held).some(({ definition }) => definition.node === name))
          topics.bump(TOPIC.service(held), index);
      }
      topics.bump(TOPIC.nodes, index);
      return topics.bump(TOPIC.all, index);
    }
    const held = this.#services.get(name);
    if (held === undefined) return;
    held.shown = undefined;
    topics.bump(TOPIC.service(name), index);
    topics.bump(TOPIC.all, index);
  }
}

/** The time of the last change of a check's status, as a version. */
function changedIndex(kept: KeptRegistration | undefined): bigint | undefined {
  const times = kept?.checks.map(({ sinceMs }) => sinceMs) ?? [];
  return times.length === 0 ? undefined : versionAt(Math.max(...times));
}

function sortKey({ definition: { node, id } }: ShownService): string {
  return `${node}\n${id}`;
}

function takenOut({ id, name, tags }: { id: string; name: string; tags: readonly string[] }): ShownCheck {
  const words = { type: "rule", interval: "", timeout: "" };
  const check = {
    id: `rule:${id}`,
    name: "Roster's rules",
    status: "critical",
    notes: "",
    output: "taken out by a rule",
  } as const;
  return { ...check, words, serviceId: id, serviceName: name, serviceTags: tags };
}

const AGENT_CHECK: ShownCheck = {
  ...{
    id: SERF_HEALTH,
    name: "Serf Health Status",
    status: "passing",
    notes: "",
    output: "Agent alive and reachable",
  },
  words: { type: "", interval: "", timeout: "" },
  ...{ serviceId: "", serviceName: "", serviceTags: [] },
};
