// The versions of lists that subscribers have confirmed.

import { NO_VERSION } from "../model/version.ts";
import type { PushTarget, PushUnderWay } from "./client.ts";
import type { SubscribedService } from "./subscriptions.ts";

/** The subscribers of this push have its version. */
export function markSeen({ subscribers, version }: PushUnderWay): void {
  for (const subscriber of subscribers) if (version > subscriber.seenVersion) subscriber.seenVersion = version;
}

/** Whether one of the target's subscribers has not seen the list that is shown. */
export function isBehind(target: PushTarget, { list }: SubscribedService): boolean {
  const version = list.view?.version ?? NO_VERSION;
  for (const subscriber of target.subscribers.values()) if (subscriber.seenVersion < version) return true;
  return false;
}
