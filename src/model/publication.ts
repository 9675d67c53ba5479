// A publication is one registration of one publisher. This file alone decides which of two wins: by the version that
// the client counts up, then by the time at which a session took it; never by order of arrival.

import type { ClientId, NodeId, ServiceKey } from "./ids.ts";
import { equalPayloads, type Payload } from "./payload.ts";

/** The owner that answers for a publication: the client's connection, and the session node that holds it. */
export interface Owner {
  readonly session: NodeId;
  readonly client: ClientId;
}

/** The place of a registration or of its removal in the history of one (serviceKey, registId). */
export interface Stamp {
  /** The client's own count, one up at every republish and unregister. */
  readonly version: bigint;
  /** The time at which a session accepted it, in ms. A client that reconnects keeps the version, so this decides. */
  readonly registeredMs: number;
}

/** One registration. `registId` is chosen by the client and stable for the life of its publisher object. */
export interface Publication extends Stamp {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  readonly owner: Owner;
  readonly zone: string;
  readonly appName: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly payload: Payload;
}

/** A publication without the part that its subscribers see. */
export type Registration = Pick<Publication, "serviceKey" | "registId" | "version" | "registeredMs" | "owner">;

/** Positive if `a` is newer than `b`, negative if older, 0 if they are the same registration. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.version !== b.version) return a.version > b.version ? 1 : -1;
  return a.registeredMs - b.registeredMs;
}

/** SOFARegistry's attribute of a publisher that is not to be called; with any text, it is in no list. */
const BLOCKED_ATTRIBUTE = "!Blocked";

export function isBlocked(attributes: Publication["attributes"]): boolean {
  return attributes.size > 0 && (attributes.get(BLOCKED_ATTRIBUTE) ?? "").trim() !== "";
}

/** Whether subscribers would see the same: a client that only reconnected causes no push. */
export function showsTheSame(a: Publication, b: Publication): boolean {
  return a.zone === b.zone && equalPayloads(a.payload, b.payload);
}
