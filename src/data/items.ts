// Items that a leader makes itself, and its answers about registrations that lost.

import { defined } from "../base/assert.ts";
import type { DataToSession, InventoryEntry, PublishItem, Superseded } from "../cluster/messages/sessionData.ts";
import type { ServiceKey } from "../model/ids.ts";
import { isKeptByLease, type Registration } from "../model/publication.ts";
import type { Datum } from "./datum.ts";

/** The answer to a session about a registration that lost against the datum's. */
export function supersededBy(
  datum: Datum,
  { serviceKey, registId, version, registeredMs }: InventoryEntry,
): Superseded {
  const live = datum.registration(registId);
  const by = defined(live ?? datum.tombstone(registId), "something newer has refused it");
  return {
    serviceKey,
    registId,
    stamp: { version, registeredMs },
    by: { version: by.version, registeredMs: by.registeredMs },
    isRemoved: live === undefined,
  };
}

/** The removal of exactly this publication, whose client is gone. */
export function leftItem({ serviceKey, registId, version, registeredMs }: Registration): PublishItem {
  return { kind: "remove", removal: { serviceKey, registId, cause: "left", stamp: { version, registeredMs } } };
}

/** Whether the item is of a registration that is kept by a lease. */
export function isOfLease(item: PublishItem): boolean {
  return item.kind === "put" ? isKeptByLease(item.publication) : item.removal.isOfLease === true;
}

/** The answer to a session about an item that another client's registration keeps out. */
export function heldBy(live: Registration, item: PublishItem): Superseded {
  const { version, registeredMs, owner } = live;
  const { serviceKey, registId, ...stamp } = entryOf(item);
  return { serviceKey, registId, stamp, by: { version, registeredMs }, isRemoved: false, holder: owner.client };
}

/** The registration of an item, with its stamp. */
export function entryOf(item: PublishItem): InventoryEntry {
  const { serviceKey, registId } = item.kind === "put" ? item.publication : item.removal;
  const { version, registeredMs } = item.kind === "put" ? item.publication : item.removal.stamp;
  return { serviceKey, registId, version, registeredMs };
}

/** Names a registration in maps. */
export function keyOf({ serviceKey, registId }: { serviceKey: ServiceKey; registId: string }): string {
  return `${registId}\n${serviceKey}`;
}

/** Tells a session that it may have a registration that it asked for. */
export function wantedOf(
  slot: number,
  { serviceKey, registId }: Pick<Registration, "serviceKey" | "registId">,
): Wanted {
  return { kind: "wanted", slot, keys: [[serviceKey, registId]], superseded: [] };
}

type Wanted = DataToSession & { readonly kind: "wanted" };
