// The gateways' records of a node, over a source: its watches ask for the next changes again and again, each question
// waiting for them.

import { RegistryError } from "../../base/errors.ts";
import type { Cancel, Timers } from "../../base/ports.ts";
import { checkGatewayRange, type GatewayRecords } from "../../records/gatewayRecords.ts";
import type {
  ChangesPage,
  Commit,
  CommitOutcome,
  Compacted,
  KeyRange,
  RangePage,
  RangeQuery,
  Watcher,
} from "../../records/records.ts";
import type { RecordsSource } from "./recordsSource.ts";

/** A question for changes waits for them this long; the next one follows. */
export const CHANGES_WAIT_MS = 10_000;

// A store or a link that is away is back within a second or two.
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1_000;

export interface FollowedEnvironment {
  readonly source: RecordsSource;
  readonly timers: Timers;
  /** Called for a bug: the node must end. */
  readonly failed: (error: unknown) => void;
}

export class FollowedRecords implements GatewayRecords {
  readonly #environment: FollowedEnvironment;
  readonly #watches = new Set<Watch>();
  #isClosed = false;

  constructor(environment: FollowedEnvironment) {
    this.#environment = environment;
  }

  range(query: RangeQuery): Promise<RangePage | Compacted> {
    return this.#environment.source.range(query);
  }

  commit(commit: Commit): Promise<CommitOutcome> {
    return this.#environment.source.commit(commit);
  }

  changes(range: KeyRange, after: bigint): Promise<ChangesPage | Compacted> {
    return this.#environment.source.changes({ range, after, waitMs: 0 });
  }

  /** One that begins after the close hears nothing: its first read was under way when the node began to stop. */
  watch(range: KeyRange, after: bigint, watcher: Watcher): Cancel {
    checkGatewayRange(range);
    if (this.#isClosed) return () => undefined;
    const watch = new Watch(this.#environment, { range, after, watcher });
    this.#watches.add(watch);
    watch.ask().catch(this.#environment.failed);
    return () => {
      this.#watches.delete(watch);
      watch.end();
    };
  }

  /** Ends all watches. May be called twice. */
  close(): void {
    this.#isClosed = true;
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
    this.#environment.source.close();
  }
}

class Watch {
  readonly #environment: FollowedEnvironment;
  readonly #range: KeyRange;
  readonly #watcher: Watcher;
  #after: bigint;
  #retryMs = RETRY_MS_MIN;
  #hasEnded = false;
  #cancelRetry: Cancel = () => undefined;

  constructor(
    environment: FollowedEnvironment,
    { range, after, watcher }: { readonly range: KeyRange; readonly after: bigint; readonly watcher: Watcher },
  ) {
    this.#environment = environment;
    this.#range = range;
    this.#after = after;
    this.#watcher = watcher;
  }

  end(): void {
    this.#hasEnded = true;
    this.#cancelRetry();
  }

  async ask(): Promise<void> {
    while (!this.#hasEnded) {
      const page = await this.#page();
      if (this.#hasEnded) return;
      if (page === undefined) return this.#askLater();
      this.#retryMs = RETRY_MS_MIN;
      this.#take(page);
    }
  }

  /** Undefined if there is no answer. */
  async #page(): Promise<ChangesPage | Compacted | undefined> {
    try {
      const question = { range: this.#range, after: this.#after, waitMs: CHANGES_WAIT_MS };
      return await this.#environment.source.changes(question);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return undefined;
    }
  }

  #askLater(): void {
    this.#cancelRetry = this.#environment.timers.after(this.#retryMs, () => {
      this.ask().catch(this.#environment.failed);
    });
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  #take(page: ChangesPage | Compacted): void {
    if (page.kind === "compacted") {
      this.end();
      return this.#watcher.compacted(page.oldest);
    }
    const hasMoved = page.revision > this.#after;
    this.#after = page.revision;
    if (page.changes.length > 0) this.#watcher.changed(page.changes, page.revision);
    else if (hasMoved) this.#watcher.reached?.(page.revision);
  }
}
