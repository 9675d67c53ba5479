// The embedded store: one SQLite file, roster.db, in the data directory. It writes through to the disk before it
// answers (WAL, synchronous FULL: 0.2 to 1 ms a write), so that a power cut loses nothing that was acknowledged.

import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { assert, defined } from "../../base/assert.ts";
import { fail } from "../../base/errors.ts";
import type { ConfigValue } from "../../cluster/messages/membership.ts";
import type { NodeStore } from "../../data/nodeStore.ts";
import type { ClusterConstants, LeaderLease, MetaState, MetaStore } from "../../meta/metaStore.ts";
import { brandServiceKey, isNodeId, type NodeId, nodeId, type ServiceKey } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { LeaseCandidate, Records } from "../../records/records.ts";
import {
  checkSlotCount,
  DamagedColumn,
  damaged,
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
import { LocalLease, type NowMs } from "../localLease.ts";
import { guarded, guardedOpening } from "./failure.ts";
import { inTransaction } from "./inTransaction.ts";
import { lockDataDir } from "./lockDataDir.ts";
import { migrate } from "./schema.ts";
import { SqliteRecords } from "./sqliteRecords.ts";

export interface SqliteStoreOptions {
  /** The clock for the end of the leader's lease. */
  readonly nowMs?: NowMs;
}

/**
 * Opens the store of a data directory, which is made if it is missing. Throws DATA_DIR_IN_USE if another process works
 * on it, STORE_SCHEMA_NEWER if a newer release has written it, STORE_DAMAGED if it is not a database, DATA_DIR_UNUSABLE
 * if this user can't use the directory, and STORE_UNAVAILABLE for everything else.
 */
export async function openSqliteStore(
  dataDir: string,
  { nowMs = () => performance.now() }: SqliteStoreOptions = {},
): Promise<SqliteStore> {
  const file = join(dataDir, "roster.db");
  return guardedOpening(file, () => {
    // Only this user may read it: stored configuration can hold values that its owners would not show to everyone.
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const unlock = lockDataDir(dataDir);
    try {
      return new SqliteStore(file, openDatabase(file), { unlock, lease: new LocalLease(nowMs) });
    } catch (error) {
      unlock();
      throw error;
    }
  });
}

function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    migrate(database);
    database.prepare("INSERT OR IGNORE INTO node (id, node_id, version_floor) VALUES (1, ?, 0)").run(randomUUID());
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const SLOT_TABLE_COLUMNS = { epoch: "epoch", slots: "slots_json" } as const;
// Ten times the capacity of a whole cluster. A larger size would hold its service back after each restart.
const PUBLISHERS_MAX = 10_000_000;

/** The stores of one file; closing one of them closes all. */
class SqliteStore implements MetaStore, NodeStore {
  readonly records: Records;
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #lease: LocalLease;
  readonly #unlock: () => void;
  #closed = false;

  constructor(file: string, database: DatabaseSync, own: { readonly lease: LocalLease; readonly unlock: () => void }) {
    this.#file = file;
    this.#database = database;
    this.#lease = own.lease;
    this.#unlock = own.unlock;
    this.records = new SqliteRecords({ file, database, lease: own.lease, close: () => this.#close() });
  }

  async loadAll(): Promise<MetaState> {
    return guarded(this.#file, () => {
      const cluster = this.#cluster();
      const tables = this.#rows("SELECT epoch, slots_json FROM slot_table");
      const [slotTable] = readTable("slot_table", tables, (row) => readSlotTable(row, SLOT_TABLE_COLUMNS));
      checkSlotCount(slotTable, cluster);
      const values = this.#rows("SELECT data_info_id_json, version, data_json FROM config");
      const configs = readTable("config", values, readConfig);
      const names = this.#rows("SELECT name_json FROM blocked_node");
      const blocked = readTable("blocked_node", names, (row) => readText(row, "name_json"));
      return {
        cluster,
        slotTable,
        configs: new Map(configs.map((config) => [config.serviceKey, config])),
        blockedNodes: new Set(blocked),
      };
    });
  }

  async saveCluster(cluster: ClusterConstants): Promise<ClusterConstants> {
    return guarded(this.#file, () => {
      const sql = "INSERT OR IGNORE INTO cluster (id, name_json, slot_count) VALUES (1, ?, ?)";
      this.#change(sql, textColumn(cluster.name), cluster.slotCount);
      return defined(this.#cluster(), "a cluster that was just written is there");
    });
  }

  async acquireLease(candidate: LeaseCandidate, leaseMs: number): Promise<LeaderLease> {
    this.#checkOpen();
    return guarded(this.#file, () => this.#lease.acquire(candidate, leaseMs, () => this.#nextLeaseEpoch()));
  }

  async releaseLease(epoch: bigint): Promise<void> {
    this.#checkOpen();
    this.#lease.release(epoch);
  }

  async saveSlotTable(
    table: SlotTable,
    { tableEpoch, leaseEpoch }: Parameters<MetaStore["saveSlotTable"]>[1],
  ): Promise<boolean> {
    assert(tableEpoch === undefined || table.epoch > tableEpoch, "a slot table never goes back");
    return this.#fenced(leaseEpoch, () => {
      const slots = slotsColumn(table.slots);
      if (tableEpoch === undefined) {
        const sql = "INSERT OR IGNORE INTO slot_table (id, epoch, slots_json) VALUES (1, ?, ?)";
        return this.#change(sql, table.epoch, slots);
      }
      const sql = "UPDATE slot_table SET epoch = ?, slots_json = ? WHERE epoch = ?";
      return this.#change(sql, table.epoch, slots, tableEpoch);
    });
  }

  async putConfig(config: ConfigValue, leaseEpoch: bigint): Promise<boolean> {
    return this.#fenced(leaseEpoch, () => {
      const sql = `INSERT INTO config (data_info_id_json, version, data_json) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET version = excluded.version, data_json = excluded.data_json
        WHERE excluded.version > version`;
      return this.#change(sql, textColumn(config.serviceKey), config.version, textColumn(config.data));
    });
  }

  async setNodeBlocked(node: string, isBlocked: boolean, leaseEpoch: bigint): Promise<boolean> {
    return this.#fenced(leaseEpoch, () => {
      const sql = isBlocked
        ? "INSERT OR IGNORE INTO blocked_node (name_json) VALUES (?)"
        : "DELETE FROM blocked_node WHERE name_json = ?";
      this.#change(sql, textColumn(node));
      return true;
    });
  }

  nodeId(): NodeId {
    const id = guarded(this.#file, () => this.#nodeRow()["node_id"]);
    assert(typeof id === "string", "the column is declared as text");
    if (!isNodeId(id)) throw damaged({ file: this.#file }, new DamagedColumn("table node, row 1: node_id is no name"));
    return nodeId(id);
  }

  loadVersionFloor(): bigint {
    return guarded(this.#file, () => {
      const [floor] = readTable("node", [this.#nodeRow()], (row) => readVersion(row, "version_floor"));
      return defined(floor, "a row gives a value");
    });
  }

  saveVersionFloor(floor: bigint): void {
    const sql = "UPDATE node SET version_floor = ? WHERE version_floor < ?";
    guarded(this.#file, () => this.#change(sql, floor, floor));
  }

  loadServiceSizes(): ReadonlyMap<ServiceKey, number> {
    return guarded(this.#file, () => {
      const rows = this.#rows("SELECT data_info_id_json, publishers FROM service_size");
      return new Map(readTable("service_size", rows, readServiceSize));
    });
  }

  saveServiceSizes(changed: ReadonlyMap<ServiceKey, number>): void {
    if (changed.size === 0) return;
    guarded(this.#file, () => {
      const put = this.#statement("INSERT OR REPLACE INTO service_size (data_info_id_json, publishers) VALUES (?, ?)");
      const forget = this.#statement("DELETE FROM service_size WHERE data_info_id_json = ?");
      inTransaction(this.#database, () => {
        for (const [serviceKey, size] of changed) {
          if (size === 0) forget.run(textColumn(serviceKey));
          else put.run(textColumn(serviceKey), size);
        }
      });
    });
  }

  async close(): Promise<void> {
    await this.records.close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    guarded(this.#file, () => {
      try {
        this.#database.close();
      } finally {
        this.#unlock();
      }
    });
  }

  /** Runs a leader's write, or returns false if `leaseEpoch` is not the lease in force. */
  #fenced(leaseEpoch: bigint, write: () => boolean): boolean {
    this.#checkOpen();
    return this.#lease.isInForce(leaseEpoch) && guarded(this.#file, write);
  }

  #nextLeaseEpoch(): bigint {
    const sql = `INSERT INTO leader_lease (id, epoch) VALUES (1, 1)
      ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch`;
    const row = this.#rows(sql)[0];
    return readBigint(defined(row, "a row that was just written is there"), "epoch");
  }

  #checkOpen(): void {
    if (this.#closed) throw fail("STORE_UNAVAILABLE", { file: this.#file, reason: "the store is closed" });
  }

  #nodeRow(): Row {
    const row = this.#rows("SELECT node_id, version_floor FROM node")[0];
    if (row === undefined) throw new DamagedColumn("table node has no row");
    return row;
  }

  #cluster(): ClusterConstants | undefined {
    return readTable("cluster", this.#rows("SELECT name_json, slot_count FROM cluster"), readCluster)[0];
  }

  #rows(sql: string): readonly Row[] {
    return this.#statement(sql).all();
  }

  /** Runs a writing statement; true if it changed anything. */
  #change(sql: string, ...values: readonly SQLInputValue[]): boolean {
    return this.#statement(sql).run(...values).changes !== 0n;
  }

  #statement(sql: string): StatementSync {
    const statement = this.#database.prepare(sql);
    // Versions and epochs are 64-bit; as a JavaScript number SQLite would round them.
    statement.setReadBigInts(true);
    return statement;
  }
}

function readCluster(row: Row): ClusterConstants {
  return { name: readText(row, "name_json"), slotCount: readNumber(row, "slot_count") };
}

function readServiceSize(row: Row): readonly [ServiceKey, number] {
  return [readKey(row), readNumber(row, "publishers", PUBLISHERS_MAX)];
}

function readConfig(row: Row): ConfigValue {
  return { serviceKey: readKey(row), version: readVersion(row, "version"), data: readMaybeText(row, "data_json") };
}

function readKey(row: Row): ServiceKey {
  return brandServiceKey(readText(row, "data_info_id_json"));
}
