// How many publishers each service has, on its way to the node's disk: what RestartHold waits for after a restart.

import type { DataInfoId } from "../model/ids.ts";

// A size is on disk soon after its change, but after the push of that change. A write takes half a millisecond and 6 µs
// more for each service: a busy node gives it a twentieth of its time at the most.
const SAVE_DELAY_MS = 20;
const SAVE_INTERVAL_MS = 50;
const SAVE_INTERVAL_MS_PER_SERVICE = 0.15;

export class ServiceSizes {
  readonly #save: (changed: ReadonlyMap<DataInfoId, number>) => void;
  #unsaved = new Map<DataInfoId, number>();
  #dueMs = Number.POSITIVE_INFINITY;
  #restedMs = Number.NEGATIVE_INFINITY;

  constructor(save: (changed: ReadonlyMap<DataInfoId, number>) => void) {
    this.#save = save;
  }

  set(dataInfoId: DataInfoId, size: number, nowMs: number): void {
    this.#unsaved.set(dataInfoId, size);
    if (this.#dueMs < Number.POSITIVE_INFINITY) return;
    this.#dueMs = Math.max(nowMs + SAVE_DELAY_MS, this.#restedMs);
  }

  nextMs(): number {
    return this.#dueMs;
  }

  /** Saves what has changed, if that is due. */
  wake(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    this.#restedMs = nowMs + SAVE_INTERVAL_MS + this.#unsaved.size * SAVE_INTERVAL_MS_PER_SERVICE;
    this.flush();
  }

  /** Saves what has changed, now. */
  flush(): void {
    const changed = this.#unsaved;
    this.#unsaved = new Map();
    this.#dueMs = Number.POSITIVE_INFINITY;
    if (changed.size > 0) this.#save(changed);
  }
}
