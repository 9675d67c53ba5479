// Claims that wait behind a holding. A client was answered with success, and then its registration turned out to be
// held at another session. If the holder comes to this session, its registration takes the place of the claim, and the
// claim waits behind it until the holder is gone: its client does not send it again. A claim stays charged to its
// client.

import { CHARGE } from "../base/budget.ts";
import { compareStamps, type Stamp } from "../model/publication.ts";
import type { PublishRequest } from "../registry/registry.ts";
import type { Client, HeldPublication } from "./client.ts";
import { isOneClient } from "./takeOver.ts";

/** Whether a contested registration waits behind the one of `client`, which may be its holder. */
export function mayWait(contested: HeldPublication, client: Client, request: PublishRequest): boolean {
  return contested.client.departedMs === undefined && !isOneClient(contested.client, client, request);
}

/** A holding, and the claims that wait behind it. */
export function* lineOf(held: HeldPublication): Generator<HeldPublication> {
  for (let at: HeldPublication | undefined = held; at !== undefined; at = at.behind) yield at;
}

/** The claim with this stamp that waits behind a holding, taken out of the line. */
export function takeBehind(held: HeldPublication, stamp: Stamp): HeldPublication | undefined {
  for (let at = held; at.behind !== undefined; at = at.behind) {
    const claim: HeldPublication = at.behind;
    if (compareStamps(claim.publication, stamp) !== 0) continue;
    at.behind = claim.behind;
    return claim;
  }
  return undefined;
}

/** Forgets the claims behind a holding for which `isMeant` returns true. */
export function dropBehind(held: HeldPublication, isMeant: (claim: HeldPublication) => boolean): void {
  for (let at = held; at.behind !== undefined; ) {
    const claim: HeldPublication = at.behind;
    if (isMeant(claim)) {
      at.behind = claim.behind;
      claim.client.publications.delete(claim);
      claim.client.account.release(CHARGE.registrations, claim.bytes);
    } else at = claim;
  }
}
