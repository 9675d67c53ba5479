// The gateways' records at a node with the store.

import { fail, RegistryError } from "../../base/errors.ts";
import type { Timers } from "../../base/ports.ts";
import { checkGatewayCommit, checkGatewayRange } from "../../records/gatewayRecords.ts";
import type {
  ChangesPage,
  Commit,
  CommitOutcome,
  Compacted,
  RangePage,
  RangeQuery,
  Records,
} from "../../records/records.ts";
import { RecordsFeed } from "./recordsFeed.ts";
import type { ChangesQuestion, RecordsSource } from "./recordsSource.ts";

/** A store that is opened when it can be reached. */
export interface OpenableStore {
  readonly isOpen: boolean;
  /** Rejects with STORE_UNAVAILABLE. */
  opened(): Promise<Records>;
}

export class StoreSource implements RecordsSource {
  readonly #store: OpenableStore;
  readonly #timers: Timers;
  readonly #feed: RecordsFeed;

  constructor(store: OpenableStore, timers: Timers) {
    this.#store = store;
    this.#timers = timers;
    this.#feed = new RecordsFeed(() => store.opened(), timers);
  }

  async range(query: RangeQuery): Promise<RangePage | Compacted> {
    checkGatewayRange(query);
    const records = await this.#store.opened();
    // SQLite answers at once: without a pause all pages of a long range would be read in one turn of the event loop.
    if (query.at !== undefined) await new Promise<unknown>((resolve) => this.#timers.after(0, resolve));
    return records.range(query);
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    checkGatewayCommit(commit);
    const records = await this.#store.opened();
    try {
      return await records.commit(commit);
    } catch (error) {
      // A store does not say which of its failures came before it had the commit.
      if (!(error instanceof RegistryError) || error.code !== "STORE_UNAVAILABLE") throw error;
      throw fail("STORE_OUTCOME_UNKNOWN", { reason: error.message });
    }
  }

  async changes(question: ChangesQuestion): Promise<ChangesPage | Compacted> {
    checkGatewayRange(question.range);
    return this.#feed.changes(question);
  }

  readonly close = (): void => this.#feed.close();
}
