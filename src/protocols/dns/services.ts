// The services as DNS names them: by names without case, with the instances that take calls. Lists are decoded when
// they are asked for the first time after a change, since most never are.

import { instancesOf } from "../../model/content.ts";
import { groupsOfHost } from "../../model/hostAddress.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { takesCalls } from "../../model/instance.ts";
import type { Publication } from "../../model/publication.ts";
import { parseServiceKey } from "../../model/serviceKey.ts";
import { consulNamesOf } from "../kit/consulBag.ts";
import { type Address, addressOf } from "./address.ts";

/** An instance that takes calls. */
export interface DnsInstance {
  readonly serviceKey: ServiceKey;
  readonly service: string;
  /** An address, or a name for one that can't be read as such. */
  readonly host: string;
  /** Undefined: `host` is a name. */
  readonly address: Address | undefined;
  readonly port: number;
  readonly weight: number;
  readonly node: string;
  readonly nodeAddress: string;
  /** Its address is that of its node. */
  readonly isAtNodeAddress: boolean;
  /** In lower case. */
  readonly tags: ReadonlySet<string>;
}

/** A machine, with the addresses and services that it has. */
export interface DnsNode {
  readonly name: string;
  readonly address: Address | undefined;
  readonly host: string;
}

interface Held {
  readonly publications: readonly Publication[];
  instances: readonly DnsInstance[] | undefined;
}

/** Whether an asker may know a service. */
export type IsVisible = (serviceKey: ServiceKey) => boolean;

const everything: IsVisible = () => true;

/** The places of instances, by the names and addresses of their machines: one instance of each service at each. */
interface Places {
  readonly nodes: ReadonlyMap<string, PlacedNode>;
  readonly byHost: ReadonlyMap<string, ReadonlyMap<ServiceKey, DnsInstance>>;
  readonly madeMs: number;
}

interface PlacedNode extends DnsNode {
  readonly services: Set<ServiceKey>;
}

// Walking through 100,000 instances takes a fifth of a second. Names of nodes and addresses may be found a second late.
const PLACES_MS = 1_000;

export class DnsServices {
  /** By the name in lower case; names that differ by case only are one. */
  readonly #services = new Map<string, Map<ServiceKey, Held>>();
  #places: Places | undefined;
  #isChanged = false;

  /** The newest list of a service; undefined: it is gone. */
  set(serviceKey: ServiceKey, publications: ReadonlyMap<string, Publication> | undefined): void {
    const name = parseServiceKey(serviceKey).name.toLowerCase();
    const lists = this.#services.get(name) ?? new Map<ServiceKey, Held>();
    this.#isChanged = true;
    if (publications === undefined) {
      lists.delete(serviceKey);
      if (lists.size === 0) this.#services.delete(name);
      return;
    }
    lists.set(serviceKey, { publications: [...publications.values()], instances: undefined });
    this.#services.set(name, lists);
  }

  /** The instances of a service that take calls; undefined: the asker knows none. The name is in lower case. */
  find(name: string, isVisible: IsVisible = everything): readonly DnsInstance[] | undefined {
    const lists = [...(this.#services.get(name) ?? [])].filter(([serviceKey]) => isVisible(serviceKey));
    return lists.length === 0 ? undefined : lists.flatMap(([serviceKey, held]) => instancesIn(serviceKey, held));
  }

  /** A machine by its name, in lower case, if the asker may know one of its services. */
  node(name: string, nowMs: number, isVisible: IsVisible = everything): DnsNode | undefined {
    const node = this.#placesAt(nowMs).nodes.get(name);
    return node !== undefined && [...node.services].some(isVisible) ? node : undefined;
  }

  /** An instance at this host that the asker may know. */
  at(host: string, nowMs: number, isVisible: IsVisible = everything): DnsInstance | undefined {
    const there = this.#placesAt(nowMs).byHost.get(host) ?? [];
    return [...there.values()].find(({ serviceKey }) => isVisible(serviceKey));
  }

  #placesAt(nowMs: number): Places {
    const places = this.#places;
    if (places !== undefined && (!this.#isChanged || nowMs < places.madeMs + PLACES_MS)) return places;
    const nodes = new Map<string, PlacedNode>();
    const byHost = new Map<string, Map<ServiceKey, DnsInstance>>();
    for (const lists of this.#services.values()) {
      for (const [serviceKey, held] of lists) {
        for (const instance of instancesIn(serviceKey, held)) {
          const { node, nodeAddress, host } = instance;
          const there = byHost.get(host) ?? new Map<ServiceKey, DnsInstance>();
          if (!there.has(serviceKey)) byHost.set(host, there.set(serviceKey, instance));
          const address = addressOf(groupsOfHost(bracketed(nodeAddress)));
          const services = nodes.get(node.toLowerCase())?.services ?? new Set();
          nodes.set(node.toLowerCase(), { name: node, host: nodeAddress, address, services: services.add(serviceKey) });
        }
      }
    }
    this.#isChanged = false;
    this.#places = { nodes, byHost, madeMs: nowMs };
    return this.#places;
  }
}

function instancesIn(serviceKey: ServiceKey, held: Held): readonly DnsInstance[] {
  const service = parseServiceKey(serviceKey).name;
  held.instances ??= held.publications.flatMap((publication) =>
    instancesOf(publication)
      // Weight 0 is an instance that gets no calls.
      .filter((instance) => takesCalls(instance) && instance.weight > 0)
      .map((instance): DnsInstance => {
        const { host, port, weight } = instance;
        const { tags, ...names } = consulNamesOf(instance);
        const lowered = new Set(tags.map((tag) => tag.toLowerCase()));
        return {
          serviceKey,
          service,
          host,
          address: addressOf(groupsOfHost(bracketed(host))),
          port,
          weight,
          ...names,
          tags: lowered,
        };
      }),
  );
  return held.instances;
}

/** A host as `groupsOfHost` takes it. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
