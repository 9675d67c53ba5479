// The part of the store that belongs to the client protocols, as their code sees it at any node: one with the store
// goes to it, any other one asks a meta node. Each protocol keeps its records under a prefix of its own:
// `gateways/<name>/`.

import { fail } from "../base/errors.ts";
import { checkCommit, checkRange, commitBytes } from "./bounds.ts";
import { compareKeys, keysWith } from "./keys.ts";
import type { Commit, KeyRange, Records } from "./records.ts";

/**
 * Records under GATEWAYS_PREFIX. Conditions are revisions of keys, for no gateway leads.
 *
 * `commit` rejects with STORE_OUTCOME_UNKNOWN if the commit may have been made, or may still be made within seconds,
 * and with STORE_UNAVAILABLE if it certainly was not. Commits of one node are made in the order of the calls.
 */
export type GatewayRecords = Pick<Records, "range" | "commit" | "changes" | "watch">;

export const GATEWAYS_PREFIX = "gateways/";

/** All records of the gateways. */
export const GATEWAYS_RANGE: KeyRange = keysWith(GATEWAYS_PREFIX);

/** The most bytes of the values of one commit: with it, the largest page fits into one message between nodes. */
export const GATEWAY_COMMIT_BYTES_MAX = 12 * 1024 * 1024;

/** The prefix of a gateway's own records. */
export function gatewayPrefix(name: string): string {
  return `${GATEWAYS_PREFIX}${name}/`;
}

/** Throws RECORD_INVALID for a range that has others' records. */
export function checkGatewayRange(range: KeyRange): void {
  checkRange(range);
  const { from, to } = range;
  const isInside = from.startsWith(GATEWAYS_PREFIX) && to !== "" && compareKeys(to, GATEWAYS_RANGE.to) <= 0;
  if (!isInside) throw fail("RECORD_INVALID", { reason: `a range outside of ${GATEWAYS_PREFIX}`, from, to });
}

/** Throws RECORD_INVALID or RECORD_TOO_LARGE for a commit that gateways may not make. */
export function checkGatewayCommit(commit: Commit): void {
  checkCommit(commit);
  for (const condition of commit.conditions) {
    if (condition.kind === "leads") throw fail("RECORD_INVALID", { reason: "the lease is not a gateway's to demand" });
    checkGatewayKey(condition.key);
  }
  for (const { key } of commit.operations) checkGatewayKey(key);
  const bytes = commitBytes(commit);
  if (bytes > GATEWAY_COMMIT_BYTES_MAX) {
    throw fail("RECORD_TOO_LARGE", { bytes, bytesMax: GATEWAY_COMMIT_BYTES_MAX });
  }
}

function checkGatewayKey(key: string): void {
  if (!key.startsWith(GATEWAYS_PREFIX)) {
    throw fail("RECORD_INVALID", { reason: `a key outside of ${GATEWAYS_PREFIX}`, key });
  }
}
