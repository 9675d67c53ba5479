// Services of which too many leases are silent at once. That many clients are hardly dead together: more likely their
// heartbeats do not reach the cluster. So nothing is shown as unhealthy, and nothing is removed, until enough of them
// are heard again, an operator releases the service, or a long time is over (lossProtection.ts does the same for
// clients of lost sessions). Those that are silent for half of their time count: heartbeats come three times as often
// as they must, and when the first client is late, all that have stopped with it have missed one at least. Few
// registrations are not held: clients of protocols with heartbeats rely on being told that the only instance is gone.

import type { Datum } from "./datum.ts";
import type { KeptLease, LeasedService } from "./leaseTable.ts";
import type { HeldLoss, LossProtectionOptions } from "./lossProtection.ts";

// The time between two counts of a service, and thus until a held one is looked at again.
const COUNT_MS = 1_000;
const SILENT_SHARE = 0.5;

interface Counted {
  /** The time of the next count. */
  countMs: number;
  silent: number;
  publishers: number;
  /** The time since which it is held; undefined if it is not. */
  sinceMs: number | undefined;
  /** It was held, and is not any more although as many are silent. */
  isReleased: boolean;
}

export class SilentServices {
  readonly #options: LossProtectionOptions;
  /** Services of which something was due in the last second, and held ones. */
  readonly #counted = new Map<LeasedService, Counted>();

  constructor(options: LossProtectionOptions) {
    this.#options = options;
  }

  /** The number of held services. */
  get size(): number {
    let held = 0;
    for (const { sinceMs } of this.#counted.values()) if (sinceMs !== undefined) held++;
    return held;
  }

  /** The time for which the longest-held service has been held; 0 without one. */
  oldestMs(nowMs: number): number {
    let oldestMs = 0;
    for (const { sinceMs = nowMs } of this.#counted.values()) oldestMs = Math.max(oldestMs, nowMs - sinceMs);
    return oldestMs;
  }

  /**
   * Whether the service is held, now that one of its leases is silent for `limit`. `time` is the time of the leases'
   * clock.
   */
  holds(
    lease: KeptLease,
    datum: Datum,
    { limit, time, nowMs }: { limit: number; time: number; nowMs: number },
  ): boolean {
    const { service } = lease;
    const counted = this.#counted.get(service) ?? this.#newService(service);
    if (nowMs >= counted.countMs) {
      counted.countMs = nowMs + COUNT_MS;
      counted.silent = silentSince(service, time - limit * SILENT_SHARE);
      counted.publishers = datum.shown;
      this.#judge(counted, nowMs);
    }
    return counted.sinceMs !== undefined;
  }

  /** An operator reports that the silent clients are dead. */
  release(service: LeasedService): void {
    const counted = this.#counted.get(service);
    if (counted?.sinceMs === undefined) return;
    counted.sinceMs = undefined;
    counted.isReleased = true;
  }

  /** Forgets services of which nothing was due for a while. */
  tidy(nowMs: number): void {
    for (const [service, { countMs, sinceMs }] of this.#counted) {
      // A held one is counted each second, as long as anything is due.
      if (nowMs > countMs + COUNT_MS * (sinceMs === undefined ? 1 : 3)) this.#counted.delete(service);
    }
  }

  list(): HeldLoss[] {
    const held: HeldLoss[] = [];
    for (const [{ serviceKey }, { sinceMs, silent: lost, publishers }] of this.#counted) {
      if (sinceMs === undefined) continue;
      held.push({ serviceKey, sinceMs, untilMs: sinceMs + this.#options.lossProtectionMaxMs, lost, publishers });
    }
    return held;
  }

  #newService(service: LeasedService): Counted {
    const counted = { countMs: 0, silent: 0, publishers: 0, sinceMs: undefined, isReleased: false };
    this.#counted.set(service, counted);
    return counted;
  }

  #judge(counted: Counted, nowMs: number): void {
    const { lossProtectionPercent, lossProtectionPublishersMin, lossProtectionMaxMs } = this.#options;
    const { silent, publishers, sinceMs = nowMs } = counted;
    const isGreat = silent >= lossProtectionPublishersMin && silent * 100 > publishers * lossProtectionPercent;
    if (nowMs >= sinceMs + lossProtectionMaxMs) counted.isReleased = true;
    if (!isGreat) counted.isReleased = false;
    counted.sinceMs = isGreat && !counted.isReleased ? sinceMs : undefined;
  }
}

function silentSince({ leases }: LeasedService, time: number): number {
  let silent = 0;
  for (const { renewed } of leases.values()) if (renewed <= time) silent++;
  return silent;
}
