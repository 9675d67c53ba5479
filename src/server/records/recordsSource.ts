// Where a node finds the gateways' records: in its own store, or at the meta nodes.

import type { Cancel } from "../../base/ports.ts";
import type {
  ChangesPage,
  Commit,
  CommitOutcome,
  Compacted,
  KeyRange,
  RangePage,
  RangeQuery,
} from "../../records/records.ts";

/** Changes in a range that are waited for. */
export interface ChangesQuestion {
  readonly range: KeyRange;
  readonly after: bigint;
  /** The time to wait while there are none; 0: what the store has now. */
  readonly waitMs: number;
}

export interface RecordsSource {
  range(query: RangeQuery): Promise<RangePage | Compacted>;
  /** See GatewayRecords: rejects with STORE_OUTCOME_UNKNOWN or STORE_UNAVAILABLE. */
  commit(commit: Commit): Promise<CommitOutcome>;
  /**
   * The next changes, or none when the time is over. `compacted`: the history that is missing is gone, or the store has
   * lost what the asker has.
   */
  changes(question: ChangesQuestion): Promise<ChangesPage | Compacted>;
  /** Ends all that is under way; calls reject from then on. May be called twice. */
  readonly close: Cancel;
}
