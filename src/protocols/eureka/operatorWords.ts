// The words of operators about instances that lists have lost. A registration keeps the word that its session knows.
// One at a session whose list is behind, or that reaches the leader late, replaces the instance without it. Each word
// has a time, so any session that saw it notices, and says it again: all of them say the same. A client whose
// registration is replaced by that in the same moment registers again after its next heartbeat, by its
// lastDirtyTimestamp.

import { lacksWord } from "./changes.ts";
import type { EurekaInstance } from "./codec/instance.ts";
import type { Registrations } from "./registrations.ts";

interface Lost {
  readonly earlier: EurekaInstance;
  isUnderWay: boolean;
}

// A kilobyte each. The oldest ones have been tried most often.
const LOST_MAX = 10_000;
// Each is a registration: twice as many a second keep no session busy.
const RESTORED_AT_ONCE = 200;

export class OperatorWords {
  /** By application and instance. */
  readonly #lost = new Map<string, Lost>();

  /** The word of this instance is perhaps not listed any more. */
  missing(earlier: EurekaInstance): void {
    const key = `${earlier.app}\n${earlier.instanceId}`;
    const known = this.#lost.get(key)?.earlier;
    if (known !== undefined && !lacksWord(known, earlier) && known.life?.bornMs === earlier.life?.bornMs) return;
    this.#lost.delete(key);
    this.#lost.set(key, { earlier, isUnderWay: false });
    if (this.#lost.size <= LOST_MAX) return;
    for (const oldest of this.#lost.keys()) return void this.#lost.delete(oldest);
  }

  /** Called twice a second, not within a step of the registry. */
  check(nowMs: number, registrations: Pick<Registrations, "restoreWord">): void {
    let left = RESTORED_AT_ONCE;
    for (const [key, lost] of this.#lost) {
      if (left-- === 0) return;
      if (lost.isUnderWay) continue;
      lost.isUnderWay = true;
      // It is looked for again until it is listed: the leader may be away, or busy.
      const done = () => {
        lost.isUnderWay = false;
      };
      if (!registrations.restoreWord(lost.earlier, nowMs, done)) this.#lost.delete(key);
    }
  }
}
