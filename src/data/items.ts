// Items that a leader makes itself, and its answers about registrations that lost.

import { defined } from "../base/assert.ts";
import type { DataToSession, InventoryEntry, PublishItem, Superseded } from "../cluster/messages/sessionData.ts";
import type { DataInfoId } from "../model/ids.ts";
import type { Datum } from "./datum.ts";
import type { Registration } from "./packed/publicationStore.ts";

/** The answer to a session about a registration that lost against the datum's. */
export function supersededBy(
  datum: Datum,
  { dataInfoId, registId, version, registeredMs }: InventoryEntry,
): Superseded {
  const live = datum.registration(registId);
  const by = defined(live ?? datum.tombstone(registId), "something newer has refused it");
  return {
    dataInfoId,
    registId,
    stamp: { version, registeredMs },
    by: { version: by.version, registeredMs: by.registeredMs },
    isRemoved: live === undefined,
  };
}

/** The removal of exactly this publication, whose client is gone. */
export function leftItem({ dataInfoId, registId, version, registeredMs }: Registration): PublishItem {
  return { kind: "remove", removal: { dataInfoId, registId, cause: "left", stamp: { version, registeredMs } } };
}

/** Names a registration in maps. */
export function keyOf({ dataInfoId, registId }: { dataInfoId: DataInfoId; registId: string }): string {
  return `${registId}\n${dataInfoId}`;
}

/** Tells a session that it may have a registration that it asked for. */
export function wantedOf(
  slot: number,
  { dataInfoId, registId }: Pick<Registration, "dataInfoId" | "registId">,
): Wanted {
  return { kind: "wanted", slot, keys: [[dataInfoId, registId]], superseded: [] };
}

type Wanted = DataToSession & { readonly kind: "wanted" };
