// The store of a cluster: PostgreSQL, shared by all meta nodes. Every change is one statement that is its own
// transaction. The server runs it to its end or not at all, even if we or the network fail meanwhile, so no node that
// was stopped in the middle holds a lock that the others wait for.
//
// Time is the database's: each statement reads clock_timestamp() when it looks at the lease, not when it began to wait
// for it. Every write of a leader carries its fence: the statement first locks the lease's row, as a node that takes
// the lease must, and writes only if the lease is still ours and not over. So a deposed leader's write either comes
// before its successor takes the lease, and is seen by it, or is not made.

import { createHash } from "node:crypto";
import { assert } from "../../base/assert.ts";
import type { ConfigValue } from "../../cluster/messages/membership.ts";
import type { ClusterConstants, LeaderLease, MetaState, MetaStore } from "../../meta/metaStore.ts";
import { brandServiceKey, type NodeId, nodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { LeaseCandidate } from "../../records/records.ts";
import {
  checkSlotCount,
  DamagedColumn,
  type Row,
  readBigint,
  readMaybeText,
  readNumber,
  readSlotTable,
  readTable,
  readText,
  readVersion,
  slotsColumn,
  textColumn,
} from "../columns.ts";
import type { Ask, QueryResult, SqlValue } from "./connection.ts";
import { Connections } from "./connections.ts";
import { isUpToDate, MIGRATION_MS, migrate } from "./schema.ts";
import { targetOf } from "./target.ts";

export interface PostgresStoreOptions {
  /** The schema with our tables, `roster` by default; it is created if it is missing. */
  readonly schema?: string;
}

/**
 * Opens the store at a `postgres://` URL and brings its tables up to date. Throws CONFIG_INVALID for an invalid URL,
 * STORE_SCHEMA_NEWER if a newer release has written tables that this one can't use, and STORE_UNAVAILABLE with the
 * reason for everything else. The store survives any outage of the database: each call is tried anew.
 */
export async function openPostgresStore(url: string, options: PostgresStoreOptions = {}): Promise<MetaStore> {
  const target = targetOf(url, options.schema ?? "roster");
  const connections = new Connections(target);
  try {
    const isCurrent = await connections.use((ask) => isUpToDate(ask, target.schema));
    if (!isCurrent) await connections.use((ask) => migrate(ask, target.schema), MIGRATION_MS);
    return new PostgresStore(connections);
  } catch (error) {
    await connections.close();
    throw error;
  }
}

// One statement sees all tables at one moment.
const LOAD_ALL = `
  SELECT 'cluster' AS kind, name_json AS key_json, slot_count AS number, NULL AS value_json FROM cluster
  UNION ALL SELECT 'slotTable', NULL, epoch, slots_json FROM slot_table
  UNION ALL SELECT 'config', data_info_id_json, version, data_json FROM config
  UNION ALL SELECT 'blockedNode', name_json, 0, NULL FROM blocked_node WHERE is_blocked`;

const LEASE_COLUMNS = `held.epoch, held.holder_json, held.address_json, held.lease_ms,
  floor(extract(epoch FROM held.ends_at - clock_timestamp()) * 1000)::bigint AS remaining_ms`;

// No row comes back if another node holds it.
const ACQUIRE_LEASE = `
  INSERT INTO leader_lease AS held (id, epoch, holder_json, address_json, lease_ms, ends_at)
  VALUES (1, 1, $1, $2, $3::bigint, clock_timestamp() + $3::bigint * interval '1 millisecond')
  ON CONFLICT (id) DO UPDATE SET
    epoch = held.epoch
      + CASE WHEN held.holder_json = excluded.holder_json AND held.ends_at > clock_timestamp() THEN 0 ELSE 1 END,
    holder_json = excluded.holder_json,
    address_json = excluded.address_json,
    lease_ms = excluded.lease_ms,
    ends_at = clock_timestamp() + excluded.lease_ms * interval '1 millisecond'
  WHERE held.holder_json = excluded.holder_json OR held.ends_at <= clock_timestamp()
  RETURNING ${LEASE_COLUMNS}`;

const READ_LEASE = `SELECT ${LEASE_COLUMNS} FROM leader_lease AS held`;

const SHORTEN_LEASE = `
  UPDATE leader_lease SET ends_at = clock_timestamp() + lease_ms * interval '1 millisecond'
  WHERE ends_at > clock_timestamp() + lease_ms * interval '1 millisecond'`;

const RELEASE_LEASE = `
  UPDATE leader_lease SET ends_at = clock_timestamp()
  WHERE epoch = $1 AND holder_json = $2 AND ends_at > clock_timestamp()`;

// One row if the lease is ours and in force, none if not. Its lock is kept to the end of the statement.
const FENCE = `WITH fence AS MATERIALIZED (
  SELECT 1 FROM leader_lease
  WHERE epoch = $1 AND holder_json = $2 AND ends_at > clock_timestamp()
  FOR UPDATE)`;

class PostgresStore implements MetaStore {
  readonly #connections: Connections;
  /**
   * The last lease given to this store. Epochs alone would do if databases never lost confirmed writes; but after a
   * failover to a copy that lagged behind, an epoch may be given a second time, to another node.
   */
  #lease: { readonly epoch: bigint; readonly holder: NodeId } | undefined;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async loadAll(): Promise<MetaState> {
    return this.#connections.use(async (ask) => stateOf((await ask(LOAD_ALL)).rows));
  }

  async saveCluster({ name, slotCount }: ClusterConstants): Promise<ClusterConstants> {
    return this.#connections.use(async (ask) => {
      const sql = "INSERT INTO cluster (id, name_json, slot_count) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING";
      await ask(sql, asciiColumn(name), slotCount);
      const { rows } = await ask("SELECT name_json AS key_json, slot_count AS number FROM cluster");
      return readCluster(theRow(rows, "cluster"));
    });
  }

  async acquireLease(candidate: LeaseCandidate, leaseMs: number): Promise<LeaderLease> {
    assert(leaseMs > 0, "a lease has a time");
    return this.#connections.use(async (ask) => {
      const values = [asciiColumn(candidate.holder), asciiColumn(candidate.address), Math.ceil(leaseMs)];
      const [taken] = (await ask(ACQUIRE_LEASE, ...values)).rows;
      if (taken === undefined) return heldByAnother(ask);
      const lease = readLease(taken);
      this.#lease = lease;
      return lease;
    });
  }

  async releaseLease(epoch: bigint): Promise<void> {
    await this.#connections.use((ask) => ask(RELEASE_LEASE, ...this.#fence(epoch)));
  }

  async saveSlotTable(
    table: SlotTable,
    { tableEpoch, leaseEpoch }: Parameters<MetaStore["saveSlotTable"]>[1],
  ): Promise<boolean> {
    assert(tableEpoch === undefined || table.epoch > tableEpoch, "a slot table never goes back");
    const slots = slotsColumn(table.slots);
    if (tableEpoch === undefined) {
      const sql = `${FENCE} INSERT INTO slot_table (id, epoch, slots_json)
        SELECT 1, $3::bigint, $4::text FROM fence ON CONFLICT (id) DO NOTHING`;
      return (await this.#fenced(leaseEpoch, sql, table.epoch, slots)).changed > 0;
    }
    const sql = `${FENCE} UPDATE slot_table SET epoch = $3, slots_json = $4 FROM fence WHERE epoch = $5`;
    return (await this.#fenced(leaseEpoch, sql, table.epoch, slots, tableEpoch)).changed > 0;
  }

  async putConfig({ serviceKey, version, data }: ConfigValue, leaseEpoch: bigint): Promise<boolean> {
    const key = createHash("sha256").update(asciiColumn(serviceKey)).digest();
    const sql = `${FENCE} INSERT INTO config AS stored (key_sha256, data_info_id_json, version, data_json)
      SELECT $3::bytea, $4::text, $5::bigint, $6::text FROM fence
      ON CONFLICT (key_sha256) DO UPDATE SET version = excluded.version, data_json = excluded.data_json
      WHERE excluded.version > stored.version`;
    const values = [key, asciiColumn(serviceKey), version, asciiColumn(data)];
    return (await this.#fenced(leaseEpoch, sql, ...values)).changed > 0;
  }

  async setNodeBlocked(node: string, isBlocked: boolean, leaseEpoch: bigint): Promise<boolean> {
    // The row stays, as false, instead of a DELETE: a DELETE would not see a row that was committed while the statement
    // waited for its fence.
    const sql = `${FENCE} INSERT INTO blocked_node (name_json, is_blocked)
      SELECT $3::text, $4::boolean FROM fence
      ON CONFLICT (name_json) DO UPDATE SET is_blocked = excluded.is_blocked`;
    return (await this.#fenced(leaseEpoch, sql, asciiColumn(node), String(isBlocked))).changed > 0;
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  /** Runs a statement that begins with FENCE; its own values count from $3. */
  #fenced(leaseEpoch: bigint, sql: string, ...values: readonly SqlValue[]): Promise<QueryResult> {
    return this.#connections.use((ask) => ask(sql, ...this.#fence(leaseEpoch), ...values));
  }

  /** The values of FENCE; null, which nothing equals, for an epoch that was never ours. */
  #fence(leaseEpoch: bigint): readonly [bigint, string | null] {
    return [leaseEpoch, this.#lease?.epoch === leaseEpoch ? asciiColumn(this.#lease.holder) : null];
  }
}

/**
 * The lease of another holder. If the database's clock was set back, the lease seems to last longer than any that is
 * given. It is then shortened to a whole one from now; otherwise no node could follow a dead leader until the clock has
 * caught up.
 */
async function heldByAnother(ask: Ask): Promise<LeaderLease> {
  const row = theRow((await ask(READ_LEASE)).rows, "leader_lease");
  const held = readLease(row);
  const leaseMs = readNumber(row, "lease_ms");
  if (held.remainingMs <= leaseMs) return held;
  await ask(SHORTEN_LEASE);
  return { ...held, remainingMs: leaseMs };
}

/** The row that must be there, unless another program writes to our tables. */
function theRow(rows: readonly Row[], table: string): Row {
  const [row] = rows;
  if (row === undefined) throw new DamagedColumn(`table ${table} has no row`);
  return row;
}

function readLease(row: Row): LeaderLease {
  return {
    epoch: readBigint(row, "epoch"),
    holder: nodeId(readText(row, "holder_json")),
    address: readText(row, "address_json"),
    remainingMs: Number(readBigint(row, "remaining_ms")),
  };
}

const SLOT_TABLE_COLUMNS = { epoch: "number", slots: "value_json" } as const;

function stateOf(rows: readonly Row[]): MetaState {
  const of = (kind: string) => rows.filter((row) => row["kind"] === kind);
  const configs = readTable("config", of("config"), readConfig);
  const [cluster] = readTable("cluster", of("cluster"), readCluster);
  const [slotTable] = readTable("slot_table", of("slotTable"), (row) => readSlotTable(row, SLOT_TABLE_COLUMNS));
  checkSlotCount(slotTable, cluster);
  return {
    cluster,
    slotTable,
    configs: new Map(configs.map((config) => [config.serviceKey, config])),
    blockedNodes: new Set(readTable("blocked_node", of("blockedNode"), (row) => readText(row, "key_json"))),
  };
}

function readCluster(row: Row): ClusterConstants {
  return { name: readText(row, "key_json"), slotCount: readNumber(row, "number") };
}

function readConfig(row: Row): ConfigValue {
  const serviceKey = brandServiceKey(readText(row, "key_json"));
  return { serviceKey, version: readVersion(row, "number"), data: readMaybeText(row, "value_json") };
}

/** Text in its stored form: JSON, with everything beyond ASCII by its number. */
function asciiColumn(text: string | null): string {
  return textColumn(text).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
