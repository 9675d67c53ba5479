// How long a world is given to become well by itself.

import type { Plan } from "./plan.ts";

/** The longest that a fault lasts by itself after the last one began: a server's restart, and the links behind it. */
export const HEAL_MS = 7_000;

/** For followers to compare themselves with their leaders. */
export const COMPARE_MS = 4_000;

/**
 * Longer than any exchange of messages takes, and its repetition. It is no multiple of what is repeated for ever, or
 * two looks might find the same word under way that is said every second, or two, or three.
 */
export const STILL_MS = 2_500;

// For a data node to hand its slots over and to go, and for the others to share them anew.
const LEAVE_MS = 15_000;

// After the longest memory of the servers, so much time to repair: scans, retries, push timeouts.
const REPAIR_MS = 5_000;
// A dead link is closed after five seconds of silence, made again within a second, and spoken on within another.
const RELINK_MS = 7_000;

// Where scans and comparisons come more rarely than this, all is to be well without them.
const INTERVAL_MS_MAX = 10_000;

/** After the world is whole again, before the last look. */
export function quietMs({ config, meta, topology }: Plan): number {
  const { clientMuteIdleMs, clientReturnGraceMs, restartHoldMs, sessionLeaseMs } = config;
  const versionScanIntervalMs = Math.min(config.versionScanIntervalMs, INTERVAL_MS_MAX);
  const digestIntervalMs = Math.min(config.digestIntervalMs, INTERVAL_MS_MAX);
  const memoryMs = Math.max(clientMuteIdleMs + clientReturnGraceMs, restartHoldMs, sessionLeaseMs);
  const repairMs = 2 * versionScanIntervalMs + REPAIR_MS;
  if (topology !== "cluster") return memoryMs + repairMs;
  const protectionMs = config.lossProtectionPercent < 100 ? config.lossProtectionMaxMs : 0;
  // A member that is gone is counted out first; then others lead, and only then does its lease begin.
  return RELINK_MS + meta.memberLeaseMs + memoryMs + protectionMs + 2 * digestIntervalMs + repairMs;
}

/** After a node was told to stop: it may be a session too, whose lease begins when it has gone. */
export function leaveMs({ config }: Plan): number {
  return LEAVE_MS + config.sessionLeaseMs;
}

// For what was sent last, and for the grace of those who go.
const LAST_WORDS_MS = 20_000;

/** After all clients have gone, until nothing of them need be remembered. */
export function emptyMs({ config }: Plan): number {
  return config.tombstoneMs + LAST_WORDS_MS;
}
