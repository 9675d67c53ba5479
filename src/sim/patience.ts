// The time that a world has to become well by itself.

import { LEASE_MS_MAX } from "./leaseServices.ts";
import type { Plan } from "./plan.ts";

/** The longest that a fault lasts by itself after the last one began: a server's restart, and the links behind it. */
export const HEAL_MS = 7_000;

/** The time for followers to compare themselves with their leaders. */
export const COMPARE_MS = 4_000;

/**
 * Longer than any exchange of messages takes, with its repetition. It is not a multiple of any endless repetition;
 * otherwise two looks might both find the message under way that is sent every one, two or three seconds.
 */
export const STILL_MS = 2_500;

// The time for a data node to hand its slots over and to go, and for the others to share them anew.
const LEAVE_MS = 15_000;

// The time for repairs after the longest memory of the servers: scans, retries, push timeouts.
const REPAIR_MS = 5_000;
// A dead link is closed after five seconds of silence, made again within a second, and used within another.
const RELINK_MS = 7_000;

// Where scans and comparisons come more rarely than this, all must be well without them.
const INTERVAL_MS_MAX = 10_000;

/** The time from the end of all faults to the last look. */
export function quietMs(plan: Plan): number {
  const { config, meta, topology, hasLeases = false, hasHttpClients = false } = plan;
  const { clientMuteIdleMs, clientReturnGraceMs, restartHoldMs, sessionLeaseMs } = config;
  const versionScanIntervalMs = Math.min(config.versionScanIntervalMs, INTERVAL_MS_MAX);
  const digestIntervalMs = Math.min(config.digestIntervalMs, INTERVAL_MS_MAX);
  const memoryMs = Math.max(clientMuteIdleMs + clientReturnGraceMs, restartHoldMs, sessionLeaseMs);
  const repairMs = 2 * versionScanIntervalMs + REPAIR_MS;
  if (topology !== "cluster") return memoryMs + repairMs;
  const protectionMs = config.lossProtectionPercent < 100 ? config.lossProtectionMaxMs : 0;
  // A gone member is counted out first; then others lead, and only then does its lease begin.
  const leasesMs = hasLeases ? LEASE_MS_MAX : 0;
  const usualMs = RELINK_MS + meta.memberLeaseMs + memoryMs + protectionMs + leasesMs + 2 * digestIntervalMs + repairMs;
  const { afterMs, forMs } = httpCalm(plan);
  return hasHttpClients ? Math.max(usualMs, afterMs + forMs + CALM_END_MS) : usualMs;
}

// The time in which clients by HTTP go on when all is well: some leases, and changes.
const CALM_MS = 30_000;
// A change at the end of it has its effect, and a lease its end.
const CALM_END_MS = LEASE_MS_MAX + 5_000;

/**
 * When all is well for clients by HTTP: members and leaders are as usual, held services have been let go, and what was
 * said to sessions that stood still is done. `afterMs` is the time from the end of all faults.
 */
export function httpCalm({ config, meta }: Plan): { readonly afterMs: number; readonly forMs: number } {
  const { restartHoldMs, sessionLeaseMs, lossProtectionMaxMs, lossProtectionPercent } = config;
  const protectionMs = lossProtectionPercent < 100 ? lossProtectionMaxMs : 0;
  const afterMs = RELINK_MS + meta.memberLeaseMs + sessionLeaseMs + restartHoldMs + protectionMs + LEASE_MS_MAX;
  return { afterMs, forMs: CALM_MS };
}

// A judge that is gone is no member any more; the others take its sessions over in turns of five seconds, and give each
// a full timeout. The longest one is 15 s, and a watch of the store looks every five seconds.
const TREE_SESSIONS_MS = 1_000 + 3 * 5_000 + 15_000 + 5_000;

/** The time until the sessions of dead clients of the tree have ended. */
export function treeQuietMs({ meta }: Plan): number {
  return RELINK_MS + meta.memberLeaseMs + TREE_SESSIONS_MS + REPAIR_MS;
}

/** The time after a node was told to stop: it may be a session too, whose lease begins when it has gone. */
export function leaveMs({ config }: Plan): number {
  return LEAVE_MS + config.sessionLeaseMs;
}

// The time for the clients to go one by one, and for the last messages.
const LAST_WORDS_MS = 5_000;

/**
 * The time from when the clients begin to go until nothing of them need be remembered. A client that vanishes is
 * noticed by its silence, and leaves when the grace is over.
 */
export function emptyMs({ config }: Plan): number {
  const { clientIdleMs, clientMuteIdleMs, clientReturnGraceMs, tombstoneMs } = config;
  return Math.max(clientIdleMs, clientMuteIdleMs) + clientReturnGraceMs + tombstoneMs + LAST_WORDS_MS;
}
