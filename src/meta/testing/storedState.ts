// Turns the values that tests name into the records that the role meta reads and writes, and back.

import { assert, defined } from "../../base/assert.ts";
import type { ConfigValue } from "../../cluster/messages/membership.ts";
import type { SlotTable } from "../../model/slot.ts";
import { keysWith } from "../../records/keys.ts";
import type { WholeRange } from "../../records/readAll.ts";
import type { Commit, Operation } from "../../records/records.ts";
import { RecordTable } from "../../records/recordTable.ts";
import {
  BLOCKED_NODE_RECORDS,
  CLUSTER_RECORD,
  CONFIG_RECORDS,
  decodeRecord,
  encodeRecord,
  keyOf,
  type MetaState,
  type RecordCodec,
  SLOT_PAUSE_RECORD,
  SLOT_TABLE_RECORD,
} from "../metaRecords.ts";
import { RULES_EPOCH_RECORD } from "../ruleRecords.ts";

export const EMPTY: MetaState = {
  cluster: undefined,
  slotTable: undefined,
  configs: new Map(),
  blockedNodes: new Set(),
  blockedPlaces: [],
  slotPause: undefined,
};

/** A store with this content. Each record has a revision of its own, from 1 on. */
export function tableWith({ cluster, slotTable, configs, blockedNodes, slotPause }: MetaState): RecordTable {
  const table = new RecordTable();
  const write = <Value>(codec: RecordCodec<Value>, values: Iterable<Value>) => {
    for (const value of values) {
      const put: Operation = { kind: "put", key: keyOf(codec, value), value: encodeRecord(codec, value) };
      table.commit({ conditions: [], operations: [put] }, () => false);
    }
  };
  write(CLUSTER_RECORD, cluster === undefined ? [] : [cluster]);
  write(SLOT_TABLE_RECORD, slotTable === undefined ? [] : [slotTable]);
  write(CONFIG_RECORDS, configs.values());
  write(
    BLOCKED_NODE_RECORDS,
    [...blockedNodes].map((node) => ({ node })),
  );
  write(SLOT_PAUSE_RECORD, slotPause === undefined ? [] : [slotPause]);
  return table;
}

/** All records of a table. */
export function readWhole(table: RecordTable): WholeRange {
  const page = table.range(keysWith(""));
  assert(page.kind === "page" && page.isLast, "a store in a test has few records");
  return { revision: page.revision, records: page.records };
}

export type Saved =
  | { readonly kind: "table"; readonly table: SlotTable; readonly leaseEpoch: bigint }
  | { readonly kind: "config"; readonly value: ConfigValue }
  | { readonly kind: "rules" | "slot pause" }
  | { readonly kind: "block"; readonly node: string; readonly isBlocked: boolean };

/** The change that a commit of the role saves. */
export function savedBy({ conditions, operations }: Commit): Saved {
  const operation = defined(operations[0], "a commit of the role has one operation");
  const lease = defined(
    conditions.find((condition) => condition.kind === "leads"),
    "a leader's commit demands its lease",
  );
  const { key } = operation;
  if (key === RULES_EPOCH_RECORD.prefix) return { kind: "rules" };
  if (key === SLOT_PAUSE_RECORD.prefix) return { kind: "slot pause" };
  if (operation.kind === "delete") {
    const node = String(JSON.parse(key.slice(BLOCKED_NODE_RECORDS.prefix.length)));
    return { kind: "block", node, isBlocked: false };
  }
  const record = { key, value: operation.value, revision: 0n, createdRevision: 0n };
  if (key === SLOT_TABLE_RECORD.prefix) {
    return { kind: "table", table: decodeRecord(SLOT_TABLE_RECORD, record), leaseEpoch: lease.epoch };
  }
  if (key.startsWith(CONFIG_RECORDS.prefix)) return { kind: "config", value: decodeRecord(CONFIG_RECORDS, record) };
  return { kind: "block", node: decodeRecord(BLOCKED_NODE_RECORDS, record).node, isBlocked: true };
}
