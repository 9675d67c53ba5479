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
 * Compares the catalogues of two nodes without sending them. A held service is known by name only: its list, and so its
 * version and size, are not shown.
 */
export class CatalogueDigest {
  readonly #digest = new RegistrationDigest();

  get count(): number {
    return this.#digest.count;
  }

  get value(): bigint {
    return this.#digest.value;
  }

  /** Adds an entry, or the name of a held service. */
  add(entry: CatalogueEntry | DataInfoId): void {
    this.#digest.add(digested(entry));
  }

  /** Takes out what was added exactly so. */
  remove(entry: CatalogueEntry | DataInfoId): void {
    this.#digest.remove(digested(entry));
  }
}

function digested(entry: CatalogueEntry | DataInfoId): Parameters<RegistrationDigest["add"]>[0] {
  if (typeof entry === "string") return { dataInfoId: entry, registId: "", version: 0n, registeredMs: 0 };
  const { dataInfoId, version, size } = entry;
  return { dataInfoId, registId: "", version, registeredMs: size };
}
