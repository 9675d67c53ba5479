// Changes that come soon after one another are pushed together, so a list waits a little for more of them.

import type { SubscribedService } from "./subscriptions.ts";

// A shorter wait than a timer can measure is no wait.
const WINDOW_MS_MIN = 1;

/** Whether a list waits, for changes that come soon after one another. */
export function isGathering(service: SubscribedService, nowMs: number): boolean {
  return gatheredUntilMs(service) - nowMs >= WINDOW_MS_MIN;
}

/** The end of that time. */
export function gatheredUntilMs({ windowEndMs, gap }: SubscribedService): number {
  return Math.max(windowEndMs, gap.endMs);
}
