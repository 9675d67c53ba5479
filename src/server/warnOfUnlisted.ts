import type { Log } from "../base/ports.ts";
import type { Unlisted } from "../cluster/messages/sessionData.ts";
import type { NodeId } from "../model/ids.ts";

/** Clients are not told: their registration was taken, and waits for room in the list. */
export function warnOfUnlisted(log: Log, session: NodeId, unlisted: readonly Unlisted[]): void {
  for (const { serviceKey, registId, bytes, bytesMax } of unlisted) {
    log.warn("a publisher is not listed because the list of its service is full", {
      service: serviceKey,
      registId,
      session,
      bytes,
      bytesMax,
    });
  }
}
