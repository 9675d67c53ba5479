// Follows the changes of a store. A wake only says that something may have changed; the revision decides which changes
// come next. So a wake that is lost costs time, up to POLL_MS, and never a change.

import { assert } from "../base/assert.ts";
import { RegistryError } from "../base/errors.ts";
import type { Cancel, Timers } from "../base/ports.ts";
import type { KeyRange, Records, Watcher } from "./records.ts";

/** The time after which changes are looked for without a wake. */
export const POLL_MS = 5_000;

/** The time before a store that failed is asked again. */
const RETRY_MS = 1_000;

/** Each part of a node that follows records has one. */
const WATCHES_MAX = 100;

/** All watches of a store in one process. */
export class Watches {
  readonly #changes: Records["changes"];
  readonly #timers: Timers;
  readonly #watches = new Set<Watch>();

  constructor(changes: Records["changes"], timers: Timers) {
    this.#changes = changes;
    this.#timers = timers;
  }

  /** See `Records.watch`. */
  add(range: KeyRange, after: bigint, watcher: Watcher): Cancel {
    assert(this.#watches.size < WATCHES_MAX, "there are few watches");
    const watch = new Watch({ ask: (from) => this.#changes(range, from), timers: this.#timers, watcher, after });
    this.#watches.add(watch);
    watch.wake();
    return () => {
      this.#watches.delete(watch);
      watch.end();
    };
  }

  /** There may be something new. */
  wake(): void {
    for (const watch of this.#watches) watch.wake();
  }

  close(): void {
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
  }
}

interface WatchParts {
  readonly ask: (after: bigint) => ReturnType<Records["changes"]>;
  readonly timers: Timers;
  readonly watcher: Watcher;
  readonly after: bigint;
}

class Watch {
  readonly #parts: WatchParts;
  #after: bigint;
  #isReading = false;
  /** It was woken while it was reading: the answer may be older than the wake. */
  #isWoken = false;
  #hasEnded = false;
  #cancelTimer: Cancel = () => undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#after = parts.after;
  }

  wake(): void {
    this.#isWoken = true;
    if (!this.#isReading && !this.#hasEnded) void this.#read();
  }

  end(): void {
    this.#hasEnded = true;
    this.#cancelTimer();
  }

  async #read(): Promise<void> {
    this.#cancelTimer();
    this.#isReading = true;
    let waitMs = POLL_MS;
    try {
      while (this.#isWoken && !this.#hasEnded) {
        this.#isWoken = false;
        await this.#readPage();
      }
    } catch (error) {
      // The store is away; a bug of ours must not be taken for that.
      if (!(error instanceof RegistryError)) throw error;
      waitMs = RETRY_MS;
    } finally {
      this.#isReading = false;
    }
    if (!this.#hasEnded) this.#cancelTimer = this.#parts.timers.after(waitMs, () => this.wake());
  }

  async #readPage(): Promise<void> {
    const page = await this.#parts.ask(this.#after);
    if (this.#hasEnded) return;
    if (page.kind === "compacted") {
      this.end();
      this.#parts.watcher.compacted(page.oldest);
      return;
    }
    const hasMoved = page.revision > this.#after;
    this.#after = page.revision;
    if (page.changes.length > 0) this.#parts.watcher.changed(page.changes, page.revision);
    else if (hasMoved) this.#parts.watcher.reached?.(page.revision);
    if (!page.isLast) this.#isWoken = true;
  }
}
