// The changes of an instance by the words of its client or of an operator, by the rules of eureka-core 2.0.6: of two
// states of a client the one with the later lastDirtyTimestamp counts, and a status that an operator has set stays
// through heartbeats and new registrations until it is taken back.

import type { EurekaInstance, Life, Status } from "./codec/instance.ts";

/** The instance that a registration leaves, where `existing` is listed; `existing` itself if nothing changes. */
export function registered(
  existing: EurekaInstance | undefined,
  incoming: EurekaInstance,
  nowMs: number,
): EurekaInstance {
  const isLate = existing !== undefined && existing.lastDirtyTimestamp > incoming.lastDirtyTimestamp;
  const registrant = isLate ? existing : incoming;
  const overriddenStatus =
    existing === undefined || existing.overriddenStatus === "UNKNOWN"
      ? incoming.overriddenStatus
      : existing.overriddenStatus;
  const status = statusBy({ given: registrant.status, overriddenStatus, existing: existing?.status });
  const upMs = existing?.leaseInfo.serviceUpTimestamp ?? 0;
  const next: EurekaInstance = {
    ...registrant,
    ...{ overriddenStatus, status },
    leaseInfo: {
      ...registrant.leaseInfo,
      registrationTimestamp: nowMs,
      lastRenewalTimestamp: nowMs,
      evictionTimestamp: 0,
      serviceUpTimestamp: upMs === 0 && status === "UP" ? nowMs : upMs,
    },
    lastUpdatedTimestamp: nowMs,
    actionType: "ADDED",
    ...lifeAfter(existing, nowMs),
  };
  return existing !== undefined && areAlike(existing, next) ? existing : next;
}

function lifeAfter(existing: EurekaInstance | undefined, nowMs: number): Pick<EurekaInstance, "life"> {
  if (existing === undefined) return { life: { bornMs: Math.floor(nowMs), operatorMs: 0 } };
  return existing.life === undefined ? {} : { life: existing.life };
}

/**
 * The status that counts. A client that takes itself out is believed; else an operator's word wins, and then what is
 * listed, so that a client that begins anew does not return itself to service.
 */
function statusBy({
  given,
  overriddenStatus,
  existing,
}: {
  readonly given: Status;
  readonly overriddenStatus: Status;
  readonly existing: Status | undefined;
}): Status {
  if (!takesPart(given)) return given;
  if (overriddenStatus !== "UNKNOWN") return overriddenStatus;
  return existing !== undefined && takesPart(existing) ? existing : given;
}

function takesPart(status: Status): boolean {
  return status === "UP" || status === "OUT_OF_SERVICE";
}

/** Whether they differ in nothing but the times of registration. */
function areAlike(one: EurekaInstance, other: EurekaInstance): boolean {
  return timeless(one) === timeless(other);
}

function timeless({ leaseInfo, lastUpdatedTimestamp: _, actionType: __, ...rest }: EurekaInstance): string {
  const { renewalIntervalInSecs, durationInSecs } = leaseInfo;
  const { metadata, urls, dataCenterInfo, ...plain } = rest;
  const maps = [metadata, urls, dataCenterInfo.metadata].map((map) => [...map].sort(([a], [b]) => (a < b ? -1 : 1)));
  const fields = Object.entries({ ...plain, renewalIntervalInSecs, durationInSecs, center: dataCenterInfo.name });
  return JSON.stringify([fields.sort(([a], [b]) => (a < b ? -1 : 1)), maps]);
}

/** A change of an operator. `dirtyMs` is the lastDirtyTimestamp of the request; undefined if it has none. */
interface StatusChange {
  readonly status: Status;
  readonly dirtyMs: number | undefined;
  readonly nowMs: number;
}

/** An operator sets a status. It is no override if it is the status already. */
export function overridden(existing: EurekaInstance, { status, dirtyMs, nowMs }: StatusChange): EurekaInstance {
  if (existing.status === status) return existing;
  const { leaseInfo } = existing;
  const isUp = status === "UP" && leaseInfo.serviceUpTimestamp === 0;
  const up = isUp ? { ...leaseInfo, serviceUpTimestamp: nowMs } : leaseInfo;
  const word = { status, overriddenStatus: status, life: lifeWithWord(existing, nowMs) };
  return modified({ ...existing, ...word, leaseInfo: up }, { dirtyMs, nowMs });
}

/** An operator takes the status back. With the status UNKNOWN the client has to register again. */
export function overrideRemoved(existing: EurekaInstance, { status, dirtyMs, nowMs }: StatusChange): EurekaInstance {
  if (existing.overriddenStatus === "UNKNOWN") return existing;
  const word = { status, overriddenStatus: "UNKNOWN", life: lifeWithWord(existing, nowMs) } as const;
  return modified({ ...existing, ...word }, { dirtyMs, nowMs });
}

// An instance from an earlier release has none.
const NO_LIFE: Life = { bornMs: 0, operatorMs: 0 };

function lifeWithWord({ life = NO_LIFE }: EurekaInstance, nowMs: number): Life {
  return { ...life, operatorMs: Math.max(Math.floor(nowMs), life.operatorMs + 1) };
}

/**
 * Whether `earlier` has a later word of an operator than `listed`. That of an instance that is gone does not count for
 * the next one of its id, as at the real server.
 */
export function lacksWord({ life = NO_LIFE }: EurekaInstance, { life: before = NO_LIFE }: EurekaInstance): boolean {
  return life.bornMs === before.bornMs && before.operatorMs > life.operatorMs;
}

/**
 * The listed instance with the operator's word of `earlier`, which it lacks: the client has registered at a session
 * that did not know the word. Every session that knows it makes the same of it.
 */
export function wordRestored(listed: EurekaInstance, earlier: EurekaInstance): EurekaInstance {
  const { overriddenStatus, life = NO_LIFE } = earlier;
  // Where the word was that an override ends, the client says its own status when it registers again.
  const isEnded = overriddenStatus === "UNKNOWN";
  const wanted = isEnded && listed.overriddenStatus === "UNKNOWN" ? listed.status : overriddenStatus;
  const status = takesPart(listed.status) ? wanted : listed.status;
  const lastUpdatedTimestamp = Math.max(listed.lastUpdatedTimestamp, life.operatorMs);
  return { ...listed, status, overriddenStatus, life, lastUpdatedTimestamp, actionType: "MODIFIED" };
}

/** Entries are put beside the metadata, or in the place of entries of the same key. */
export function metadataMerged(
  existing: EurekaInstance,
  entries: Iterable<readonly [key: string, value: string]>,
  nowMs: number,
): EurekaInstance {
  const metadata = new Map([...existing.metadata, ...entries]);
  return registered(existing, { ...existing, metadata }, nowMs);
}

function modified(
  changed: EurekaInstance,
  { dirtyMs, nowMs }: Pick<StatusChange, "dirtyMs" | "nowMs">,
): EurekaInstance {
  const lastDirtyTimestamp = Math.max(changed.lastDirtyTimestamp, dirtyMs ?? 0);
  return { ...changed, lastDirtyTimestamp, lastUpdatedTimestamp: nowMs, actionType: "MODIFIED" };
}

/**
 * The answer to a heartbeat. `unknown`: the client has a newer state, or its status is not known any more; it has to
 * register again. `conflict`: another server has an older state than this one.
 */
export function heartbeatAnswer(
  { status, lastDirtyTimestamp }: EurekaInstance,
  { dirtyMs, isReplication }: { readonly dirtyMs: number | undefined; readonly isReplication: boolean },
): "known" | "unknown" | "conflict" {
  if (status === "UNKNOWN") return "unknown";
  if (dirtyMs === undefined || dirtyMs === lastDirtyTimestamp) return "known";
  if (dirtyMs > lastDirtyTimestamp) return "unknown";
  return isReplication ? "conflict" : "known";
}
