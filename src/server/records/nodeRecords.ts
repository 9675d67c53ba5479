// The gateways' records at a node: from its store if it has one, else from the meta nodes.

import type { Timers } from "../../base/ports.ts";
import type { GatewayRecords } from "../../records/gatewayRecords.ts";
import { RecordsAnswers } from "./answerRecords.ts";
import { FollowedRecords } from "./followedRecords.ts";
import { MetaSource, type MetaSourceEnvironment } from "./metaSource.ts";
import { type OpenableStore, StoreSource } from "./storeSource.ts";

export interface NodeRecordsEnvironment extends MetaSourceEnvironment {
  /** Undefined for a node without the role meta. */
  readonly store: OpenableStore | undefined;
  readonly timers: Timers;
  /** Called for a bug: the node must end. */
  readonly failed: (error: unknown) => void;
}

export interface NodeRecords {
  readonly records: GatewayRecords;
  /** Answers other nodes. */
  readonly answers: RecordsAnswers;
  /** May be called twice. */
  close(): void;
}

export function openNodeRecords({ store, timers, failed, ...metas }: NodeRecordsEnvironment): NodeRecords {
  const stored = store === undefined ? undefined : new StoreSource(store, timers);
  const records = new FollowedRecords({ source: stored ?? new MetaSource(metas), timers, failed });
  return { records, answers: new RecordsAnswers(stored), close: () => records.close() };
}
