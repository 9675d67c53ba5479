// The catalogue: which services there are, without their lists. A question names a scope, all services or those of one
// namespace and group, so that a node that wants one group is not told of all others.

import type { DatumVersion } from "./datum.ts";
import { brandCatalogueScope, type CatalogueScope, type ServiceKey } from "./ids.ts";
import { RegistrationDigest } from "./registrationDigest.ts";
import { checkedKeyPart, DEFAULT_GROUP, DEFAULT_NAMESPACE, SEPARATOR, type ServiceKeyParts } from "./serviceKey.ts";

/** One service as the catalogue shows it, at one version of its list. */
export interface CatalogueEntry extends DatumVersion {
  readonly serviceKey: ServiceKey;
  /** The number of its publishers. 0: the service is not in the catalogue; in changes only. */
  readonly size: number;
  /**
   * The number of them that are known to be unhealthy, since their heartbeats are missing; undefined for none. A
   * publisher whose own content says that it is not healthy is not counted.
   */
  readonly unhealthy?: number;
}

/** All services. */
export const ALL_SERVICES = brandCatalogueScope("");

/**
 * The services of one namespace and group; an empty part stands for its default. Throws
 * FIELD_INVALID for an over-long or unprintable part.
 */
export function groupScope({ namespace, group }: Pick<ServiceKeyParts, "namespace" | "group">): CatalogueScope {
  const first = checkedKeyPart("namespace", namespace === "" ? DEFAULT_NAMESPACE : namespace);
  return brandCatalogueScope(first + SEPARATOR + checkedKeyPart("group", group === "" ? DEFAULT_GROUP : group));
}

/** The scope of the service's own namespace and group. */
export function scopeOf(serviceKey: ServiceKey): CatalogueScope {
  return brandCatalogueScope(serviceKey.slice(serviceKey.indexOf(SEPARATOR) + SEPARATOR.length));
}

/** Whether the scope has the service. */
export function isInScope(serviceKey: ServiceKey, scope: CatalogueScope): boolean {
  return scope === ALL_SERVICES || (serviceKey.endsWith(scope) && scopeOf(serviceKey) === scope);
}

/** The name of the service, without namespace and group. */
export function nameOf(serviceKey: ServiceKey): string {
  return serviceKey.slice(0, serviceKey.indexOf(SEPARATOR));
}

/**
 * The services of one slot in one scope, as a data node tells them and a session copies them, with the digest by which
 * the two are compared. A service whose list is held is known by its name only.
 */
export class SlotCatalogue {
  readonly slot: number;
  readonly #entries = new Map<ServiceKey, CatalogueEntry | "held">();
  readonly #digest = new RegistrationDigest();

  constructor(slot: number) {
    this.slot = slot;
  }

  get entries(): ReadonlyMap<ServiceKey, CatalogueEntry | "held"> {
    return this.#entries;
  }

  get digest(): { readonly slot: number; readonly count: number; readonly digest: bigint } {
    return { slot: this.slot, count: this.#digest.count, digest: this.#digest.value };
  }

  /** Whether this is what the other has of the slot. */
  isSame(other: { readonly count: number; readonly digest: bigint }): boolean {
    return this.#digest.count === other.count && this.#digest.value === other.digest;
  }

  /** Puts the entry in the place of the service's earlier one; undefined takes the service out. */
  set(serviceKey: ServiceKey, entry: CatalogueEntry | "held" | undefined): void {
    const before = this.#entries.get(serviceKey);
    if (before !== undefined) this.#digest.remove(digested(serviceKey, before));
    if (entry === undefined) {
      this.#entries.delete(serviceKey);
      return;
    }
    this.#entries.set(serviceKey, entry);
    this.#digest.add(digested(serviceKey, entry));
  }
}

function digested(serviceKey: ServiceKey, entry: CatalogueEntry | "held"): Parameters<RegistrationDigest["add"]>[0] {
  const { version, size } = entry === "held" ? { version: 0n, size: 0 } : entry;
  return { serviceKey, registId: "", version, registeredMs: size };
}
