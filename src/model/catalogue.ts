// The catalogue: which services there are, without their lists. A question names a scope, all services or those of one
// namespace and group, so that a node that wants one group is not told of all others.

import { checkedKeyPart, DEFAULT_GROUP, DEFAULT_INSTANCE_ID, SEPARATOR } from "./dataInfoId.ts";
import type { DatumVersion } from "./datum.ts";
import { brandCatalogueScope, type CatalogueScope, type DataInfoId } from "./ids.ts";
import { RegistrationDigest } from "./registrationDigest.ts";

/** One service as the catalogue shows it, at one version of its list. */
export interface CatalogueEntry extends DatumVersion {
  readonly dataInfoId: DataInfoId;
  /** The number of its publishers. 0: the service is not in the catalogue; in changes only. */
  readonly size: number;
}

/** All services. */
export const ALL_SERVICES = brandCatalogueScope("");

/**
 * The services of one namespace (SOFARegistry's instanceId) and group; an empty part stands for its default. Throws
 * FIELD_INVALID for an over-long or unprintable part.
 */
export function groupScope({ instanceId, group }: { instanceId: string; group: string }): CatalogueScope {
  const namespace = checkedKeyPart("instanceId", instanceId === "" ? DEFAULT_INSTANCE_ID : instanceId);
  return brandCatalogueScope(namespace + SEPARATOR + checkedKeyPart("group", group === "" ? DEFAULT_GROUP : group));
}

/** The scope of the service's own namespace and group. */
export function scopeOf(dataInfoId: DataInfoId): CatalogueScope {
  return brandCatalogueScope(dataInfoId.slice(dataInfoId.indexOf(SEPARATOR) + SEPARATOR.length));
}

/** Whether the scope has the service. */
export function isInScope(dataInfoId: DataInfoId, scope: CatalogueScope): boolean {
  return scope === ALL_SERVICES || (dataInfoId.endsWith(scope) && scopeOf(dataInfoId) === scope);
}

/** The name of the service, without namespace and group. */
export function nameOf(dataInfoId: DataInfoId): string {
  return dataInfoId.slice(0, dataInfoId.indexOf(SEPARATOR));
}

/**
 * The services of one slot in one scope, as a data node tells them and a session copies them, with the digest by which
 * the two are compared. A service whose list is held is known by its name only.
 */
export class SlotCatalogue {
  readonly slot: number;
  readonly #entries = new Map<DataInfoId, CatalogueEntry | "held">();
  readonly #digest = new RegistrationDigest();

  constructor(slot: number) {
    this.slot = slot;
  }

  get entries(): ReadonlyMap<DataInfoId, CatalogueEntry | "held"> {
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
  set(dataInfoId: DataInfoId, entry: CatalogueEntry | "held" | undefined): void {
    const before = this.#entries.get(dataInfoId);
    if (before !== undefined) this.#digest.remove(digested(dataInfoId, before));
    if (entry === undefined) {
      this.#entries.delete(dataInfoId);
      return;
    }
    this.#entries.set(dataInfoId, entry);
    this.#digest.add(digested(dataInfoId, entry));
  }
}

function digested(dataInfoId: DataInfoId, entry: CatalogueEntry | "held"): Parameters<RegistrationDigest["add"]>[0] {
  const { version, size } = entry === "held" ? { version: 0n, size: 0 } : entry;
  return { dataInfoId, registId: "", version, registeredMs: size };
}
