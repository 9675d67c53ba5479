// A publication is one registration of one publisher. This file alone decides which of two wins: by the version that
// the client counts up, then by the time at which a session took it; never by order of arrival.

import { type ClientId, type NodeId, nodeId, type ServiceKey } from "./ids.ts";
import { equalPayloads, type Payload } from "./payload.ts";

/** The owner that answers for a publication: the client's connection, and the session node that holds it. */
export interface Owner {
  readonly session: NodeId;
  readonly client: ClientId;
}

/**
 * The session in the owner of registrations that are kept by heartbeats. These may arrive at any session node, so none
 * answers for them: the data nodes alone keep them. A data node of an earlier release takes it for a session that is
 * gone.
 */
export const LEASE_KEEPER: NodeId = nodeId("leases");

/** Whether a registration is kept by heartbeats. */
export function isKeptByLease({ owner }: { readonly owner: Owner }): boolean {
  return owner.session === LEASE_KEEPER;
}

/** The place of a registration or of its removal in the history of one (serviceKey, registId). */
export interface Stamp {
  /** The client's own count, one up at every republish and unregister. */
  readonly version: bigint;
  /** The time at which a session accepted it, in ms. A client that reconnects keeps the version, so this decides. */
  readonly registeredMs: number;
}

/**
 * The cluster's knowledge of a publication beside its content, which changes without it: heartbeats that are missing,
 * and the wishes of operators. A field that is not given is as the content says; at least one is given.
 */
export interface Condition {
  readonly isHealthy?: boolean;
  readonly isEnabled?: boolean;
  /** As in `Instance`. */
  readonly weight?: number;
}

/** The heartbeats that keep a registration; times in ms since the last one. */
export interface Lease {
  /** It is shown as not healthy after this; undefined if it never is. */
  readonly unhealthyAfterMs?: number;
  /** It is removed after this. */
  readonly removedAfterMs: number;
}

/** The health that a heartbeat tells instead of "healthy": `asBefore` tells nothing about it. */
export const RENEWED_HEALTH = ["unhealthy", "asBefore"] as const;
export type RenewedHealth = (typeof RENEWED_HEALTH)[number];

/** One registration. `registId` is chosen by the client and stable for the life of its publisher object. */
export interface Publication extends Stamp {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  readonly owner: Owner;
  readonly zone: string;
  readonly appName: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly payload: Payload;
  /** The slot's leader sets it. */
  readonly condition?: Condition;
  /** Undefined: it ends with its owner. Otherwise the owner's session is LEASE_KEEPER. */
  readonly lease?: Lease;
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
  return a.zone === b.zone && equalConditions(a.condition, b.condition) && equalPayloads(a.payload, b.payload);
}

/** Whether two conditions say the same; undefined says nothing. */
export function equalConditions(a: Condition | undefined, b: Condition | undefined): boolean {
  if (a === b) return true;
  return a?.isHealthy === b?.isHealthy && a?.isEnabled === b?.isEnabled && a?.weight === b?.weight;
}

/** Whether two registrations are kept by equal leases. */
export function equalLeases(a: Lease | undefined, b: Lease | undefined): boolean {
  if (a === b) return true;
  return a?.unhealthyAfterMs === b?.unhealthyAfterMs && a?.removedAfterMs === b?.removedAfterMs;
}
