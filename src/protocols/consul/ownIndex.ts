// Consul's own registrations by node and id, as this node's copy of the records has them. It follows the changes from
// its first use on.

import type { KeptRegistration, PersistentKey, PersistentRegistrations } from "../../registry/persistent.ts";
import type { ServiceDefinition } from "./definition.ts";
import type { NodeDefinition } from "./own.ts";
import { isOwn, nodeIn, serviceIn } from "./own.ts";

/** A service with its checks. */
export interface OwnService {
  readonly service: ServiceDefinition;
  readonly kept: KeptRegistration;
}

/** A node with its checks. */
export interface OwnNode {
  readonly node: NodeDefinition;
  readonly kept: KeptRegistration;
}

export class OwnIndex {
  readonly #persistent: PersistentRegistrations;
  readonly #services = new Map<string, Map<string, OwnService>>();
  readonly #nodes = new Map<string, OwnNode>();
  /** The places of what is known, by key. */
  readonly #places = new Map<string, { readonly node: string; readonly id: string | undefined }>();
  readonly #changed: (key: PersistentKey) => void;
  #isFilled = false;

  /** `changed` is called when the index has a change. */
  constructor(persistent: PersistentRegistrations, changed: (key: PersistentKey) => void) {
    this.#persistent = persistent;
    this.#changed = changed;
  }

  /** False until the records have been read. */
  get isKnown(): boolean {
    this.#fill();
    return this.#isFilled;
  }

  /** The services of a node, by their ids. */
  servicesOf(node: string): ReadonlyMap<string, OwnService> {
    this.#fill();
    return this.#services.get(node) ?? NONE;
  }

  node(name: string): OwnNode | undefined {
    this.#fill();
    return this.#nodes.get(name);
  }

  nodes(): Iterable<OwnNode> {
    this.#fill();
    return this.#nodes.values();
  }

  #fill(): void {
    if (this.#isFilled || !this.#persistent.isKnown) return;
    this.#isFilled = true;
    for (const kept of this.#persistent.list()) if (isOwn(kept.registration.registId)) this.#take(kept.registration);
    this.#persistent.onChange((key) => {
      if (!isOwn(key.registId)) return;
      this.#take(key);
      this.#changed(key);
    });
  }

  #take(key: PersistentKey): void {
    const name = nameOf(key);
    this.#leave(name);
    const kept = this.#persistent.find(key);
    const service = kept && serviceIn(kept);
    const node = kept && nodeIn(kept);
    if (kept === undefined) return;
    if (service !== undefined) {
      const ofNode = this.#services.get(service.node) ?? new Map<string, OwnService>();
      this.#services.set(service.node, ofNode.set(service.id, { service, kept }));
      this.#places.set(name, { node: service.node, id: service.id });
    } else if (node !== undefined) {
      this.#nodes.set(node.name, { node, kept });
      this.#places.set(name, { node: node.name, id: undefined });
    }
  }

  /** Takes a registration from its place, unless another service has its id by now. */
  #leave(name: string): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    this.#places.delete(name);
    if (place.id === undefined) return void this.#nodes.delete(place.node);
    const ofNode = this.#services.get(place.node);
    const there = ofNode?.get(place.id)?.kept.registration;
    if (there === undefined || nameOf(there) !== name) return;
    ofNode?.delete(place.id);
    if (ofNode?.size === 0) this.#services.delete(place.node);
  }
}

function nameOf({ serviceKey, registId }: PersistentKey): string {
  return `${serviceKey} ${registId}`;
}

const NONE: ReadonlyMap<string, OwnService> = new Map();
